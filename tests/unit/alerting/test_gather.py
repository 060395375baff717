"""Quiet hours, storms, digests, and the next channel."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from adapter.alerting.channels import Tried, failed, following
from adapter.alerting.gather import digests, messages
from adapter.alerting.hours import Hours
from adapter.alerting.model import Cause, Message, Person, Policy, Sent, Wish

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NIGHT, MORNING = NOON.replace(hour=23), NOON.replace(day=26, hour=7)
MINUTE = timedelta(minutes=1)
POLICY = Policy(
    people=(
        Person("anna", ("mail/anna",), Hours(time(22), time(7))),
        Person("bert", ("mail/bert",)),
        Person("#board", ("board",), team=True),
    ),
    digest=(time(7, 30),),
)


def wish(number: int, person: str = "anna", since: datetime = NOON, *, urgent: bool = False) -> Wish:
    return Wish(person, f"c-{number}", Cause.RAISED, "", urgent, since)


def made(*wanted: Wish, now: datetime = NOON, sent: tuple[Sent, ...] = ()) -> list[tuple[str, str, int]]:
    return [(one.person, str(one.cause), one.count) for one in messages(wanted, sent, POLICY, now)]


def test_quiet_hours_hold_what_is_not_urgent_for_those_who_keep_them() -> None:
    assert made(wish(1), wish(2, urgent=True), wish(3, "bert"), now=NIGHT) == [
        ("anna", "raised", 1),
        ("bert", "raised", 1),
    ]


def test_what_the_night_held_is_one_message_in_the_morning() -> None:
    assert made(wish(1, since=NIGHT), wish(2, since=NIGHT), now=MORNING) == [("anna", "many", 2)]
    assert made(wish(1, since=NIGHT), now=MORNING) == [("anna", "raised", 1)]


def test_several_at_once_by_day_are_told_one_by_one_up_to_the_limit() -> None:
    assert made(*(wish(n) for n in range(5))) == [("anna", "raised", 1)] * 5


def test_more_than_that_are_one_message_with_their_number() -> None:
    (many,) = messages([wish(n) for n in range(60)], (), POLICY, NOON)
    assert (many.cause, many.count, len(many.wishes)) == (Cause.MANY, 60, 60)


def test_in_a_storm_the_next_waits_for_the_window_and_the_urgent_for_a_part_of_it() -> None:
    storm = (*(Sent("anna", Cause.RAISED, NOON) for _ in range(5)), Sent("anna", Cause.MANY, NOON))
    assert made(wish(1), now=NOON + 14 * MINUTE, sent=storm) == []
    assert made(wish(1), now=NOON + 15 * MINUTE, sent=storm) == [("anna", "raised", 1)]
    assert made(wish(1, urgent=True), now=NOON + 2 * MINUTE, sent=storm) == []
    assert made(wish(1, urgent=True), now=NOON + 3 * MINUTE, sent=storm) == [("anna", "many", 1)]
    assert made(wish(1, "bert"), now=NOON + MINUTE, sent=storm) == [("bert", "raised", 1)]


def test_a_thousand_in_an_hour_are_few_messages() -> None:
    """Sixteen a minute: the first few one by one, then one message a window, and everybody is in one of them."""
    waiting: list[Wish] = []
    sent: list[Sent] = []
    told: set[str] = set()
    for minute in range(76):
        waiting += [wish(minute * 16 + n) for n in range(16)] if minute < 60 else []
        now = NOON + minute * MINUTE
        for message in messages(waiting, sent, POLICY, now):
            sent.append(Sent("anna", message.cause, now))
            told |= {one.candidate for one in message.wishes}
        waiting = [one for one in waiting if one.candidate not in told]
    assert len(told) == 960
    assert len(sent) <= 10


def digest(
    now: datetime,
    waiting: int = 3,
    sent: tuple[Sent, ...] = (),
    policy: Policy = POLICY,
    rota: tuple[str, ...] = ("bert", "anna"),
) -> list[Message]:
    return list(digests({"immunosep": waiting, "other": 0}, rota, sent, policy, now))


def test_the_digest_comes_once_at_its_time_to_the_first_on_call_and_the_team() -> None:
    seven = NOON.replace(hour=7, minute=30)
    assert digest(NOON.replace(hour=7, minute=29) - 21 * MINUTE) == []
    found = digest(seven)
    assert [(one.person, one.count) for one in found] == [("bert", 3), ("#board", 3)]
    assert digest(seven + MINUTE, sent=tuple(Sent(one.person, Cause.DIGEST, seven) for one in found)) == []
    assert digest(seven + timedelta(hours=5)) == []


def test_an_empty_digest_is_sent_only_as_the_proof_that_somebody_wished_for() -> None:
    seven = NOON.replace(hour=7, minute=30)
    assert digest(seven, waiting=0) == []
    proof = replace(POLICY, digest_when_empty=True)
    assert len(digest(seven, waiting=0, policy=proof)) == 2
    assert [one.person for one in digest(seven, waiting=0, policy=proof, rota=())] == ["anna", "#board"]


def test_each_hears_of_the_trials_that_would_call_them_first_in_one_message() -> None:
    seven = NOON.replace(hour=7, minute=30)
    anna, bert, board = POLICY.people
    carl = Person("carl", ("mail/carl",), trials=frozenset({"immunosep"}))
    other = replace(POLICY, people=(replace(anna, trials=frozenset({"other"})), bert, carl, board))

    def told(rota: tuple[str, ...], policy: Policy = other) -> list[tuple[str, int, tuple[str, ...]]]:
        return [(one.person, one.count, one.trials) for one in digest(seven, rota=rota, policy=policy)]

    team = ("#board", 3, ("immunosep", "other"))
    assert told(("anna", "bert")) == [("bert", 3, ("immunosep",)), team]
    assert told(("bert", "anna")) == [("bert", 3, ("immunosep", "other")), team]
    assert told(("anna",)) == told(()) == [("bert", 3, ("immunosep",)), team]
    proof = replace(other, digest_when_empty=True)
    assert told(("anna",), proof) == [("anna", 0, ("other",)), ("bert", 3, ("immunosep",)), team]


WAYS, WAIT = ("mail", "sms"), timedelta(minutes=10)


def test_the_next_channel_is_taken_when_the_first_is_dead_or_has_not_taken_it_in_time() -> None:
    assert following(WAYS, {"mail": Tried(NOON)}, NOON + 9 * MINUTE, WAIT) is None
    assert following(WAYS, {"mail": Tried(NOON)}, NOON + 10 * MINUTE, WAIT) == "sms"
    assert following(WAYS, {"mail": Tried(NOON, dead=True)}, NOON, WAIT) == "sms"
    assert following(WAYS, {"mail": Tried(NOON, delivered=True)}, NOON + 60 * MINUTE, WAIT) is None
    both = {"mail": Tried(NOON), "sms": Tried(NOON + 10 * MINUTE)}
    assert following(WAYS, both, NOON + 60 * MINUTE, WAIT) is None


def test_a_message_has_failed_when_no_channel_is_left_and_one_late_success_mends_it() -> None:
    both = {"mail": Tried(NOON), "sms": Tried(NOON + 10 * MINUTE)}
    assert not failed(WAYS, both, NOON + 19 * MINUTE, WAIT)
    assert failed(WAYS, both, NOON + 20 * MINUTE, WAIT)
    assert not failed(WAYS, both | {"mail": Tried(NOON, delivered=True)}, NOON + 20 * MINUTE, WAIT)
    assert not failed(WAYS, {"mail": Tried(NOON, dead=True)}, NOON, WAIT)
    assert failed(("mail",), {"mail": Tried(NOON, dead=True)}, NOON, WAIT)


def test_those_whom_shadow_held_are_one_message() -> None:
    dark = [replace(wish(n), held=True) for n in (1, 2)]
    assert made(*dark) == [("anna", "many", 2)]
    assert made(dark[0]) == [("anna", "raised", 1)]
    assert made(dark[0], wish(2)) == [("anna", "raised", 1)] * 2
