"""What the JSON API answers besides what was asked for, as its description says."""

from typing import Any

from pydantic import BaseModel


class Refused(BaseModel):
    detail: str


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Refused, "description": "Nobody is signed in"},
    403: {"model": Refused, "description": "The role or the token does not allow it"},
    429: {"model": Refused, "description": "Too many requests in a minute: `Retry-After` says how long to wait"},
    503: {"model": Refused, "description": "The database does not answer now"},
}
ABSENT: dict[int | str, dict[str, Any]] = {404: {"model": Refused, "description": "Not there, or not for you"}}
MISTAKEN: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "No JSON"},
    412: {"model": Refused, "description": "The candidate has changed since it was read"},
    413: {"description": "Too large"},
    415: {"model": Refused, "description": "Not application/json"},
    422: {"model": Refused, "description": "Not what can be posted"},
}
