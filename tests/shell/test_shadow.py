"""A trial in shadow: nobody is told and nothing is pushed, on both stores; and what is told once it is live."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.alerting.model import Person, Policy
from adapter.alerting.rota import Rota
from adapter.daemon.clock import utc_now
from adapter.daemon.parts import open_parts
from adapter.domain.message import Delivery, MessageKind
from adapter.domain.patient import PatientId
from adapter.fhir.bundle import BundleContext
from adapter.fhir.calendar import Dates
from adapter.fhir.subject import Study
from adapter.pipeline.calling import Caller
from adapter.pipeline.deliver import deliver_next
from adapter.pipeline.outgoing import NotifierOutlet, Outlet, PushWhen, SinkOutlet
from adapter.pipeline.shadow import House as Turned
from adapter.pipeline.shadow import settle
from adapter.screening.actions import status_body
from adapter.settings import load_settings
from adapter.store import audit, calls, outbox, shadow
from adapter.store.shadow import Span
from tests.builders import adt, after, dtm
from tests.installation import Installation
from tests.walking import House, open_house
from tests.web_house import mals

TRIAL = "immunosep-demo"
LIST = "https://worklist.example/"
EDC = SinkOutlet("edc", PushWhen.CANDIDATE, BundleContext(b"0" * 32, Dates.EXACT, "test", Study("NCT04990232")))
MAIL = NotifierOutlet("mail")
TEAM = Policy(people=(Person("anna", ("mail",)), Person("#hook", ("hook",), team=True)))


class Post:
    """Whatever is handed over arrives."""

    def __init__(self) -> None:
        self.came: list[Delivery] = []

    async def deliver(self, delivery: Delivery) -> None:
        self.came.append(delivery)

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(one.payload) for one in self.came if one.kind != outbox.SNAPSHOT]


class Site:
    """The house with the mode it was started in; `start` is another start."""

    def __init__(self, folder: Path, outlets: tuple[Outlet, ...]) -> None:
        self.house: House = open_house(folder, outlets=outlets)
        self.outlets, self.post = outlets, Post()
        self.dark: tuple[str, ...] = ()

    def start(self, *dark: str) -> None:
        trials, keeper = self.house.keeper.rules.trials, self.house.keeper
        keeper.silence = settle(self.house.database, Turned(trials, dark, self.outlets, LIST), self.house.now)
        self.dark = dark

    def come(self, *numbers: str) -> None:
        for number in numbers:
            self.house.tell(*mals(number, f"NAME{number}^X"))

    def leave(self, number: str) -> None:
        """Who goes home is no candidate any more."""
        self.house.tell(adt("A03", patient=number, visit=f"V{number}", control=f"G{number}", at=dtm(after(4))))

    def decide(self, status: str, reason: str) -> None:
        row = self.house.row
        who = {"patient": row.patient, "trial": row.trial, "episode": row.episode, "at": self.house.now, "by": "anna"}
        said = status_body(**who, status=status, reason=reason, note="")
        self.house.tell(said, kind=MessageKind.ACTION)

    def calls(self) -> int:
        keeper = self.house.keeper
        trials, silence = keeper.rules.trials, keeper.silence
        return Caller(keeper.database, lambda: self.house.now, TEAM, Rota, trials, LIST, silence).round()

    def carry(self, *names: str) -> int:
        outlets = dict.fromkeys(names, self.post)
        moment = self.house.now
        return asyncio.run(deliver_next(self.house.database, outlets, lambda: moment, shadow=self.dark))

    def acts(self) -> list[tuple[str, str, Any]]:
        with self.house.database.read() as conn:
            found = [row.act for row in audit.listing(conn)]
        return [(a.action, a.object_id, dict(a.detail)) for a in found if a.action.startswith("shadow")]

    def waiting(self, *, all_of_it: bool = False) -> int:
        with self.house.database.read() as conn:
            counted = outbox.counts(conn, shadow=() if all_of_it else self.dark)
            return sum(one.waiting for one in counted.values())


@pytest.fixture
def site(each_store: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, (EDC, MAIL))
    yield made
    made.house.database.close()


@pytest.fixture
def rostered(each_store: str, tmp_path: Path) -> Iterator[Site]:
    """With `[alerts]`: people are told by rounds."""
    made = Site(tmp_path, (EDC,))
    yield made
    made.house.database.close()


def test_in_shadow_a_candidate_stands_and_nothing_is_owed(site: Site) -> None:
    site.start(TRIAL)
    site.come("1", "2")
    assert len(site.house.rows) == 2
    assert site.waiting(all_of_it=True) == 0
    assert site.carry("edc", "mail") == 0
    site.start(TRIAL)
    begun = ("shadow-begun", TRIAL, {"alerts_taken_back": 0, "deliveries_held": 0})
    assert site.acts() == [begun], "the same again is no turn"


def test_live_those_who_stand_are_told_in_one_message_and_pushed(site: Site) -> None:
    site.start(TRIAL)
    site.come("1", "2", "3")
    site.house.later(hours=1)
    site.start()
    site.house.later()
    assert site.carry("mail") == 1
    (said,) = site.post.said
    assert (said["kind"], said["count"], said["trial"], said["link"]) == ("digest", 3, TRIAL, LIST)
    assert site.carry("edc") == 3
    assert site.acts()[-1] == ("shadow-ended", TRIAL, {"standing": 3, "deliveries_released": 0})
    site.come("4")
    assert site.carry("mail", "edc") == 2, "what comes now is told at once"
    assert site.post.said[-1]["kind"] == "raised"


def test_of_whom_the_time_is_over_nobody_hears(site: Site) -> None:
    site.start(TRIAL)
    site.come("1")
    site.house.now += timedelta(hours=80)  # nobody ran to take it back
    site.start()
    site.house.later()
    assert site.carry("mail", "edc") == 0
    assert site.acts()[-1][2]["standing"] == 0


def test_who_was_counted_at_going_live_and_is_taken_back_is_told(site: Site) -> None:
    site.start(TRIAL)
    site.come("1")
    site.house.later(hours=1)
    site.start()
    site.carry("mail")
    site.leave("1")
    assert site.carry("mail") == 1
    assert [one["kind"] for one in site.post.said] == ["digest", "withdrawn"]


@pytest.mark.parametrize(("status", "reason"), [("declined", "patient"), ("consented", "")])
def test_who_was_decided_in_shadow_was_not_counted_and_nobody_hears_of_the_end(
    site: Site, status: str, reason: str
) -> None:
    site.start(TRIAL)
    site.come("1")
    site.house.later(hours=1)
    site.decide(status, reason)
    site.house.later(hours=1)
    site.start()
    assert site.acts()[-1][2]["standing"] == 0
    site.leave("1")
    assert site.house.row.standing is False
    assert site.carry("mail") == 0


def test_who_was_back_in_question_when_it_went_live_again_was_counted(site: Site) -> None:
    """Decided at the first end of the shadow, undecided at the second."""
    site.start(TRIAL)
    site.come("1")
    site.decide("declined", "patient")
    site.house.later(hours=1)
    site.start()
    site.house.later(hours=1)
    site.start(TRIAL)
    site.decide("eligible", "")
    site.house.later(hours=1)
    site.start()
    site.carry("mail")
    site.leave("1")
    site.carry("mail")
    assert [one["kind"] for one in site.post.said][-2:] == ["digest", "withdrawn"]


def test_by_the_rota_those_who_stand_are_one_message_to_each(rostered: Site) -> None:
    rostered.start(TRIAL)
    rostered.come("1", "2")
    rostered.house.later(minutes=1)
    assert rostered.calls() == 0
    rostered.start()
    assert rostered.calls() == 2
    rostered.carry("mail", "hook")
    assert [(one["kind"], one["count"]) for one in rostered.post.said] == [("many", 2)] * 2
    assert rostered.calls() == 0


def test_by_the_rota_nobody_hears_first_of_one_whose_time_is_over(rostered: Site) -> None:
    rostered.start(TRIAL)
    rostered.come("1")
    rostered.house.now += timedelta(hours=80)
    rostered.start()
    assert rostered.calls() == 0


def test_back_into_shadow_queued_alerts_go_and_are_told_anew_once_live(rostered: Site) -> None:
    rostered.start()
    rostered.come("1", "2")
    assert rostered.calls() == 4
    rostered.house.later(minutes=1)
    rostered.start(TRIAL)
    assert rostered.acts() == [("shadow-begun", TRIAL, {"alerts_taken_back": 4, "deliveries_held": 2})]
    rostered.house.later(hours=1)
    assert (rostered.calls(), rostered.carry("mail", "hook", "edc")) == (0, 0)
    with rostered.house.database.read() as conn:
        assert not calls.underway(conn, rostered.house.now - timedelta(days=3))
    rostered.start()
    assert rostered.calls() == 2
    assert rostered.carry("mail", "hook") == 2
    assert {one["kind"] for one in rostered.post.said} == {"many"}


def test_back_into_shadow_an_alert_that_arrived_is_not_told_again(rostered: Site) -> None:
    rostered.start()
    rostered.come("1")
    rostered.calls()
    assert rostered.carry("mail", "hook") == 2
    rostered.start(TRIAL)  # no round came between
    assert rostered.acts() == [("shadow-begun", TRIAL, {"alerts_taken_back": 0, "deliveries_held": 1})]
    rostered.start()
    assert rostered.calls() == 0


def test_back_into_shadow_whoever_was_told_hears_once_live_that_it_was_taken_back(rostered: Site) -> None:
    rostered.start()
    rostered.come("1")
    rostered.calls()
    rostered.carry("mail", "hook")
    rostered.start(TRIAL)
    rostered.leave("1")
    rostered.house.later(hours=1)
    rostered.start()
    assert rostered.calls() == 2
    rostered.carry("mail", "hook")
    assert [one["kind"] for one in rostered.post.said[2:]] == ["withdrawn"] * 2


def test_what_the_edc_knows_already_waits_and_its_newest_goes_once_live(site: Site) -> None:
    site.start()
    site.come("1")
    assert site.carry("edc", "mail") == 2
    site.start(TRIAL)
    site.leave("1")
    assert site.house.rows[0].standing is False
    assert (site.waiting(all_of_it=True), site.waiting()) == (1, 0), "held, and no alarm's business"
    assert site.carry("edc", "mail") == 0
    site.start()
    assert site.acts()[-1][2] == {"standing": 0, "deliveries_released": 1}
    assert site.carry("edc", "mail") == 1
    first, *_, last = (one.payload for one in site.post.came if one.kind == outbox.SNAPSHOT)
    assert first != last


def test_the_door_holds_whatever_waits_of_the_trial_by_any_id(site: Site) -> None:
    """Also what an older version, or another process, left in the outbox; and candidates of a merged record."""
    site.start()
    site.come("1")
    site.house.tell(adt("A40", patient="9", merged="1", control="M1"))
    assert site.house.row.patient == PatientId("generic", "HOSP", "9")
    with site.house.database.read() as conn:
        before = {one.subject for name in ("edc", "mail") for one in outbox.due(conn, name, site.house.now, 9)}
        after = [one for name in ("edc", "mail") for one in outbox.due(conn, name, site.house.now, 9, shadow=(TRIAL,))]
        other = outbox.due(conn, "mail", site.house.now, 9, shadow=("example-trial",))
    assert len(before) >= 2
    assert site.house.row.id not in before, "told under the id of before the merge"
    assert after == []
    assert other


def test_the_store_remembers_when_a_trial_was_in_shadow(site: Site) -> None:
    first = site.house.now
    site.start()
    with site.house.database.read() as conn:
        assert shadow.spans(conn, TRIAL) == ()
        assert list(shadow.tellings(conn, TRIAL)) == []
    site.come("0")
    site.start(TRIAL)
    site.house.later(hours=1)
    site.come("1")
    site.house.later(hours=1)
    site.start()
    site.house.later(hours=1)
    site.come("2")
    site.house.later(hours=1)
    site.start(TRIAL)
    with site.house.database.read() as conn:
        known = shadow.spans(conn, TRIAL)
        told = list(shadow.tellings(conn, TRIAL))
    assert known == (Span(first, first + timedelta(hours=2)), Span(first + timedelta(hours=4)))
    assert [(one.kind, one.at) for one in told if one.at > first] == [("raised", first + timedelta(hours=1))]


def test_a_process_that_was_not_started_anew_tells_nobody_either(rostered: Site) -> None:
    """Another one on the same store was started with the trial in shadow; this one goes on as it began."""
    rostered.start()
    keeper = rostered.house.keeper
    before = keeper.silence
    rostered.start(TRIAL)
    keeper.silence = before
    rostered.come("1")
    assert rostered.calls() == 0


def test_nor_does_it_push(each_store: str, tmp_path: Path) -> None:
    settings = load_settings(Installation(tmp_path, "").config)
    with open_parts(settings, utc_now) as parts:
        assert parts._in_shadow() == []
        settle(parts.database, Turned(parts.rules.trials, (TRIAL,), (), LIST), utc_now())
        assert parts._in_shadow() == [TRIAL]
        settle(parts.database, Turned(parts.rules.trials, (), (), LIST), utc_now())
        assert parts._in_shadow() == []
