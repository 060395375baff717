"""What a source used to send (reliability C44, C45): from the messages to the alarm, the figures and the page."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.core import Metric

from adapter.daemon.figures import figures
from adapter.daemon.health import Pulse
from adapter.pipeline.watch import Watched, watch
from adapter.store.space import Marks, Space
from tests.builders import T0, dtm, obx, oru
from tests.web_house import House, house

DAYS = 3


@pytest.fixture
def home(each_store: str, tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        yield made


def platelets(number: int, value: str = "200", unit: str = "10*3/uL", code: str = "777-3") -> bytes:
    at = dtm(T0 + timedelta(hours=number))
    lines = (obx(code, value, unit, sub=str(n)) for n in range(5))
    return oru(*lines, control=f"P{number}", order=f"P{number}", at=at, sent=at, patient=str(number % 9))


def heart(number: int) -> bytes:
    at = dtm(T0 + timedelta(hours=number))
    return oru(obx("8867-4", "80", "/min"), control=f"H{number}", order=f"H{number}", at=at, sent=at)


def told(home: House, hours: range, *makers: Callable[..., bytes], **words: str) -> None:
    """A message of each kind every hour, by the clock of the house."""
    for number in hours:
        home.clock.now = T0 + timedelta(hours=number)
        for make in makers:
            home.tell(make(number, **words))


def watched(home: House) -> Watched:
    with home.database.read() as conn:
        return watch(conn, home.clock.now)


def alarms(home: House, folder: Path) -> tuple[str, ...]:
    space = Space(folder, Marks(0, 0, 0, 0))
    return Pulse(home.database, space, home.clock).health().codes


def test_what_no_longer_comes_is_an_alarm_while_its_source_speaks(home: House, tmp_path: Path) -> None:
    home.person("ilse", "interface-admin")
    told(home, range(24 * DAYS), platelets, heart)
    assert watched(home).silent == ()
    told(home, range(24 * DAYS, 24 * DAYS + 8), heart)
    (silent,) = watched(home).silent
    assert (silent.source, silent.concept) == ("lab", "platelets")
    assert "analyte-silent" in alarms(home, tmp_path)
    page = home.signed_in("ilse").get("/quality").text
    assert "Analytes that changed" in page
    assert value_of(home, tmp_path, "adapter_analyte_silent") == {("lab", "platelets"): 1.0}
    told(home, range(24 * DAYS + 8, 24 * DAYS + 9), platelets)
    assert watched(home).silent == ()


def test_a_source_that_is_silent_itself_has_its_own_light(home: House) -> None:
    told(home, range(24 * DAYS), platelets)
    home.clock.now += timedelta(hours=20)
    assert watched(home).silent == ()


def test_a_source_that_falls_silent_or_never_spoke_is_an_alarm_after_six_hours(home: House, tmp_path: Path) -> None:
    pulse = Pulse(home.database, Space(tmp_path, Marks(0, 0, 0, 0)), home.clock, sources={"lab": None})
    began = home.clock.now
    for hours, alarm in ((5, False), (7, True)):
        home.clock.now = began + timedelta(hours=hours)
        assert ("feed-silent" in pulse.health().codes) is alarm, "never spoke"
    home.tell(heart(1))
    assert "feed-silent" not in pulse.health().codes
    home.clock.now += timedelta(hours=7)
    assert "feed-silent" in pulse.health().codes


def test_a_source_whose_rhythm_is_known_is_missed_sooner(home: House, tmp_path: Path) -> None:
    pulse = Pulse(home.database, Space(tmp_path, Marks(0, 0, 0, 0)), home.clock, sources={"lab": None})
    told(home, range(51), platelets)
    last = home.clock.now
    for hours, alarm in ((4.9, False), (5.1, True)):
        home.clock.now = last + timedelta(hours=hours)
        assert ("feed-silent" in pulse.health().codes) is alarm


def test_values_that_moved_are_an_alarm(home: House, tmp_path: Path) -> None:
    home.person("ilse", "interface-admin")
    told(home, range(52), platelets)
    assert watched(home).moved == ()
    told(home, range(52, 62), platelets, value="20")
    (moved,) = watched(home).moved
    assert (moved.analyte.code, moved.factor is not None and moved.factor < 1) == ("777-3", True)
    assert "values-moved" in alarms(home, tmp_path)
    page = home.signed_in("ilse").get("/quality").text
    assert "values ÷ 8" in page
    assert ">20<" not in page


def test_a_code_that_goes_on_in_another_unit_is_told(home: House) -> None:
    told(home, range(60), platelets)
    told(home, range(60, 62), platelets, value="200000", unit="/uL")
    (moved,) = watched(home).moved
    assert (moved.analyte.unit, moved.former, moved.factor) == ("/uL", "10*3/uL", None)


def value_of(home: House, folder: Path, name: str) -> dict[tuple[str, ...], float]:
    found: list[Metric] = list(figures(home.database, Space(folder, Marks(0, 0, 0, 0)), home.clock))
    (family,) = [one for one in found if one.name == name]
    return {tuple(sample.labels.values()): sample.value for sample in family.samples}
