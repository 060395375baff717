"""From wishes to messages: quiet hours hold, storms become one message with a count, a digest comes at its time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from adapter.alerting.hours import latest
from adapter.alerting.model import Cause, Message, Person, Policy, Sent, Wish
from adapter.alerting.plan import whom

LATE = timedelta(hours=4)
"""A digest that could not be made for longer is left out: it would tell of another time of day."""
URGENT_PART = 5
"""In a storm urgent news waits a fifth of the window at most."""


def messages(wanted: Iterable[Wish], sent: Sequence[Sent], policy: Policy, now: datetime) -> tuple[Message, ...]:
    """Whatever is held now is wished again in the next round: nothing is forgotten by waiting. What quiet hours or a trial's
    time in shadow held goes together: a summary, no events.
    """
    by_person: dict[str, list[Wish]] = {}
    for wish in wanted:
        by_person.setdefault(wish.person, []).append(wish)
    found: list[Message] = []
    for name, own in by_person.items():
        person = policy.person(name)
        if person is not None:
            found += _to(person, own, [one for one in sent if one.person == name], (policy, now))
    return tuple(found)


def _to(
    person: Person, wanted: Sequence[Wish], sent: Sequence[Sent], given: tuple[Policy, datetime]
) -> Iterator[Message]:
    policy, now = given
    free = [wish for wish in wanted if wish.urgent or not policy.quiet(person, now)]
    recent = [one for one in sent if one.cause is not Cause.DIGEST and now - one.at < policy.storm_window]
    storm = len(free) + len(recent) > policy.storm
    held = sum(wish.held or policy.quiet(person, wish.since) for wish in free) > 1
    if not storm and not held:
        yield from (Message(person.name, wish.cause, (wish,)) for wish in free)
    elif free and not _just_told(recent, policy, now, urgent=any(wish.urgent for wish in free)):
        yield Message(person.name, Cause.MANY, tuple(free), len({wish.candidate for wish in free}))


def _just_told(recent: Sequence[Sent], policy: Policy, now: datetime, *, urgent: bool) -> bool:
    """Of several together, within the window; what is urgent waits a part of it."""
    pause = policy.storm_window / URGENT_PART if urgent else policy.storm_window
    return any(one.cause is Cause.MANY and now - one.at < pause for one in recent)


def digest_due(sent: Sequence[Sent], policy: Policy, now: datetime) -> bool:
    """Whether a digest's time came and somebody may not have heard it."""
    moment = _moment(policy, now)
    if moment is None:
        return False
    return any(one.name not in _heard(sent, moment) for one in policy.people)


def _moment(policy: Policy, now: datetime) -> datetime | None:
    moment = latest(policy.digest, now, policy.zone)
    return None if moment is None or now - moment > LATE else moment


def _heard(sent: Sequence[Sent], moment: datetime) -> set[str]:
    return {one.person for one in sent if one.cause is Cause.DIGEST and one.at >= moment}


def digests(
    waiting: Mapping[str, int], on_call: Sequence[str], sent: Sequence[Sent], policy: Policy, now: datetime
) -> Iterator[Message]:
    """Of each trial (`waiting`: how many by trial) to whom it would call first, and of all to every team channel, at each of
    its times; with nothing to tell only where that is asked for, as a daily proof that the way is open.
    """
    moment = _moment(policy, now)
    if moment is None:
        return
    heard = _heard(sent, moment)
    first = {trial: [person.name for person in whom(trial, on_call, policy)[:1]] for trial in sorted(waiting)}
    for person in policy.people:
        trials = tuple(trial for trial, names in first.items() if person.team or person.name in names)
        count = sum(waiting[trial] for trial in trials)
        if person.name not in heard and trials and (count or policy.digest_when_empty):
            yield Message(person.name, Cause.DIGEST, (), count, trials)
