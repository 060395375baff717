import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from adapter import telemetry


@pytest.fixture
def book() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handlers, level = logging.root.handlers[:], logging.root.level
    telemetry.configure_log(stream)
    yield stream
    logging.root.handlers[:], logging.root.level = handlers, level


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_time_event_and_level(book: io.StringIO) -> None:
    telemetry.log("message-stored", feed="lab", inbox_id=7)
    (line,) = lines(book)
    assert line["event"] == "message-stored"
    assert line["level"] == "info"
    assert line["inbox_id"] == 7
    assert str(line["timestamp"]).endswith("Z")


def test_an_unknown_field_is_named_and_its_value_never_written(book: io.StringIO) -> None:
    telemetry.log("message-stored", mrn="canary-1")
    assert "canary-1" not in book.getvalue()
    assert lines(book)[0]["refused_fields"] == ["mrn"]


def test_an_exception_is_its_type_and_place_without_its_words(book: io.StringIO) -> None:
    try:
        int("canary-2")
    except ValueError as error:
        telemetry.bug("bug", error)
    assert "canary-2" not in book.getvalue()
    assert lines(book)[0]["error"] == "ValueError"
    assert str(lines(book)[0]["where"]).startswith("test_telemetry.py:")


def test_a_library_line_loses_its_words(book: io.StringIO) -> None:
    logging.getLogger("some.library").warning("patient %s", "canary-3")
    assert "canary-3" not in book.getvalue()
    assert lines(book)[0]["source"] == "some.library"


def test_a_line_break_in_a_value_stays_one_line(book: io.StringIO) -> None:
    telemetry.log("peer", peer="a\nb")
    assert len(lines(book)) == 1


def test_every_counter_is_counted_by_somebody() -> None:
    code = "".join(path.read_text() for path in Path(telemetry.__file__).parent.rglob("*.py"))
    made = [name for name, one in vars(telemetry.Metrics()).items() if isinstance(one, MetricWrapperBase)]
    assert made
    assert [name for name in made if not re.search(rf"metrics\.{name}\b|self\.{name}\.labels", code)] == []


def test_counters_and_computed_figures_share_one_page() -> None:
    metrics = telemetry.Metrics()
    metrics.acknowledged.labels("lab", "AA").inc()
    metrics.compute(lambda: [telemetry.counter_family("messages_received", "Stored", "feed", {"lab": 3})])
    page = metrics.text().decode()
    assert 'adapter_ack_total{code="AA",feed="lab"} 1.0' in page
    assert 'adapter_messages_received_total{feed="lab"} 3.0' in page
