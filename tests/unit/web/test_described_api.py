"""The JSON API against its own description: schemathesis asks what the description allows and what it forbids."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from adapter.web.app import create_app
from tests.web_house import BASE, House, house, mals, unclear

EXAMPLES = 25
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]


@pytest.fixture(scope="module")
def signed_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, dict[str, str]]]:
    with house(tmp_path_factory.mktemp("api")) as home:
        home.tell(*mals(), *unclear())
        client = home.signed_in()
        csrf = client.get("/api/v1/session").json()["csrf"]
        yield home, {"cookie": f"session={client.cookies['session']}", "x-csrf-token": csrf, "host": "127.0.0.1:8080"}


@pytest.fixture(scope="module")
def described(signed_in: tuple[House, dict[str, str]]) -> Any:
    return schemathesis.openapi.from_asgi(
        "/openapi.json", create_app(signed_in[0].context), headers={"host": "127.0.0.1"}
    )


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("there", [True, False], ids=["known", "any"])
def test_what_comes_back_is_what_the_description_says(
    described: Any, signed_in: tuple[House, dict[str, str]], mode: GenerationMode, *, there: bool
) -> None:
    """`there`: of a candidate that exists, so that the body is looked at."""
    home, headers = signed_in
    known = home.signed_in().get("/api/v1/candidates").json()["candidates"][0]["id"]
    asked: set[str] = set()
    for found in described.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def asked_for(case: Any) -> None:
            if there and "candidate" in case.path_parameters:
                case.path_parameters["candidate"] = known
            asked.add(case.operation.label)
            case.call_and_validate(headers=headers, checks=CHECKS, base_url=BASE)

        # What takes nothing cannot be asked wrongly.
        with contextlib.suppress(Unsatisfiable):
            asked_for()
    assert "POST /api/v1/candidates/{candidate}/determinations" in asked
    assert mode is GenerationMode.NEGATIVE or len(asked) == len(list(described.get_all_operations()))
