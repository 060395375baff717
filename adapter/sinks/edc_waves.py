"""For an EDC without transactions, or with a limit a transaction is over: in waves, each of what refers only to those before it."""

from collections.abc import Callable, Mapping, Sequence

from adapter.errors import RejectedError
from adapter.pipeline.exchange import Answer, Json
from adapter.sinks.edc_reply import Done, answered, located, one_answered, replies_of

TOO_LONG = 413
WAVE = {"Patient": 0, "Device": 0, "ResearchSubject": 1, "Provenance": 4}
"""The order of edc 5.5.4; of everything else, a score comes after what it was derived from."""

Send = Callable[[str, str, Json | None, Mapping[str, str]], Answer]
"""Method, path below the base, body and headers."""


class Waves:
    """Nothing is taken back where a later wave fails: sent again, each entry finds its own resource."""

    def __init__(self, send: Send, wish: Callable[[Answer], float | None], *, batches: bool) -> None:
        self._send, self._wish, self._batches = send, wish, batches

    def deliver(self, bundle: Json, position: int) -> Done:
        """Raises as `edc_reply.read_reply` does, at the first entry that was refused."""
        entries: Sequence[Json] = bundle["entry"]
        names: dict[str, str] = {}
        replies: dict[int, Json] = {}
        for wave in waves(entries):
            asked = [resolved(entries[number], names) for number in wave]
            for number, entry, reply in zip(wave, asked, self._answered(asked), strict=True):
                replies[number] = reply
                names[str(entry["fullUrl"])] = _place(entry, reply)
        return answered([replies[number] for number in range(len(entries))], position)

    def _answered(self, asked: Sequence[Json]) -> list[Json]:
        if self._batches and len(asked) > 1:
            answer = self._send("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": asked}, {})
            if answer.status != TOO_LONG:
                return replies_of(answer, entries=len(asked), wish=self._wish(answer))
        return [self._alone(entry) for entry in asked]

    def _alone(self, entry: Json) -> Json:
        request = entry["request"]
        conditions = {"If-Match": request.get("ifMatch"), "If-None-Exist": request.get("ifNoneExist")}
        headers = {name: value for name, value in conditions.items() if value}
        answer = self._send(request["method"], f"/{request['url']}", entry["resource"], headers)
        return one_answered(answer, entry["resource"]["resourceType"], wish=self._wish(answer))


def waves(entries: Sequence[Json]) -> list[list[int]]:
    """Positions of the entries, wave by wave."""
    ranks = [_rank(entry["resource"]) for entry in entries]
    return [[number for number, rank in enumerate(ranks) if rank == wave] for wave in sorted(set(ranks))]


def _rank(resource: Json) -> int:
    return WAVE.get(resource["resourceType"], 3 if "derivedFrom" in resource else 2)


def resolved(entry: Json, names: Mapping[str, str]) -> Json:
    """References to entries before it become references to where these went."""
    return entry | {"resource": _renamed(entry["resource"], names)}


def _renamed(node: Json, names: Mapping[str, str]) -> Json:
    return {key: _named(key, value, names) for key, value in node.items()}


def _named(key: str, value: object, names: Mapping[str, str]) -> object:
    if key == "reference" and isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, dict):
        return _renamed(value, names)
    return [_named("", one, names) for one in value] if isinstance(value, list) else value


def _place(entry: Json, reply: Json) -> str:
    """`Type/id` as the EDC says it, else as we asked for it."""
    kind, url = entry["resource"]["resourceType"], entry["request"]["url"]
    if (found := located(reply, kind)) is not None:
        return f"{kind}/{found.id}"
    if url.startswith(f"{kind}/"):
        return str(url)
    raise RejectedError("the EDC does not say where it put an entry — ask that its answers carry a location")
