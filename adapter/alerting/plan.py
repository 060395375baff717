"""Who should hear of a candidate, as a function of rota, time and what became of it so far."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from adapter.alerting.model import Call, Cause, Person, Policy, Standing, Wish

CHAIN = frozenset({Cause.RAISED, Cause.HANDED_OVER, Cause.ESCALATED})
"""Calls that walk along the rota; a hand-over begins the walk anew."""


def wishes(standing: Standing, on_call: Sequence[str], policy: Policy, now: datetime) -> tuple[Wish, ...]:
    """At most one for each person."""
    if standing.decided:
        return tuple(_handed(standing, policy))
    if not standing.standing:
        return tuple(_taken_back(standing, now))
    chain = whom(standing.trial, on_call, policy)
    found: dict[str, Wish] = {}
    for wish in (
        *_handed(standing, policy),
        *_raised(standing, chain, policy, now),
        *_marks(standing, chain, policy, now),
        *_escalated(standing, chain, policy, now),
        *_updated(standing, policy, now),
    ):
        found.setdefault(wish.person, wish)
    return tuple(found.values())


def whom(trial: str, on_call: Sequence[str], policy: Policy) -> Sequence[Person]:
    """Who is called for a trial, first to last. Nobody of it on the rota: everybody of it is, in the order of the configuration — a gap loses
    no candidate.
    """
    people = [person for name in on_call if (person := policy.person(name)) is not None and person.serves(trial)]
    serving = [person for person in policy.people if not person.team and person.serves(trial)]
    return people or serving or [person for person in policy.people if not person.team]


def _raised(standing: Standing, chain: Sequence[Person], policy: Policy, now: datetime) -> Iterator[Wish]:
    """The first on the rota, and every team channel."""
    if standing.deadline is not None and now >= standing.deadline and not standing.calls:
        return  # after a silence nobody hears first of one whose time is over
    known = {call.person for call in standing.calls}
    teams = {person.name for person in policy.people if person.team}
    for name in sorted(teams - known):
        yield _wish(standing, name, Cause.RAISED, policy, now, standing.raised)
    if chain and not known - teams:
        yield _wish(standing, chain[0].name, Cause.RAISED, policy, now, standing.raised)


def _handed(standing: Standing, policy: Policy) -> Iterator[Wish]:
    """Whom it was handed to, once, through quiet hours and though it is decided: somebody means them, now."""
    at, holder = standing.handed, policy.person(standing.holder)
    if at is None or holder is None or not standing.standing or at < standing.raised:
        return
    told = (call for call in standing.calls if call.cause is Cause.HANDED_OVER and call.at >= at)
    if all(call.person != holder.name for call in told):
        yield Wish(holder.name, standing.candidate, Cause.HANDED_OVER, standing.told, urgent=True, since=at)


def _escalated(standing: Standing, chain: Sequence[Person], policy: Policy, now: datetime) -> Iterator[Wish]:
    """Nobody opened or claimed it in time, or no channel carried the call: the next who was not called yet; after a
    hand-over, where everybody was before it, the next of all.
    """
    walked = [call for call in standing.calls if call.cause in CHAIN and not _is_team(call.person, policy)]
    if standing.handed is not None:
        given = Call(standing.holder, Cause.HANDED_OVER, standing.told, standing.handed, "")
        walked = [*(call for call in walked if call.at >= given.at), given]
    if standing.answered or not walked:
        return
    last = max(walked, key=lambda call: call.at)
    due = last.at + _patience(last, policy, now)
    if last.key in standing.failed:
        due = min(due, now)
    called = {call.person for call in (*standing.calls, *walked)}
    since = called if standing.handed is None else {call.person for call in walked}
    following = next((person for heard in (called, since) for person in chain if person.name not in heard), None)
    if following is not None and now >= due:
        yield _wish(standing, following.name, Cause.ESCALATED, policy, now, due)


def _patience(last: Call, policy: Policy, now: datetime) -> timedelta:
    """Whoever was called in quiet hours has longer to answer."""
    person = policy.person(last.person)
    return policy.escalate_quiet if person is not None and policy.quiet(person, now) else policy.escalate


def _marks(standing: Standing, chain: Sequence[Person], policy: Policy, now: datetime) -> Iterator[Wish]:
    """At the first mark whoever has it in hand, else the first on the rota; at each later one somebody more. The first call of all covers the marks before it."""
    if standing.deadline is None or now >= standing.deadline or not standing.calls:
        return
    holder = policy.person(standing.holder)
    people = [holder, *(one for one in chain if one is not holder)] if holder is not None else chain
    born = min(call.at for call in standing.calls)
    for number, left in enumerate(sorted(standing.marks, reverse=True), 1):
        mark = standing.deadline - left
        if born < mark <= now:
            heard = {call.person for call in standing.calls if call.cause is Cause.DEADLINE and call.at >= mark}
            for person in people[:number]:
                if person.name not in heard:
                    yield _wish(standing, person.name, Cause.DEADLINE, policy, now, mark)


def _updated(standing: Standing, policy: Policy, now: datetime) -> Iterator[Wish]:
    """Whoever heard something else than what holds now."""
    for call in _newest(standing.calls):
        if call.told != standing.told:
            yield _wish(standing, call.person, Cause.UPDATED, policy, now, standing.changed)


def _taken_back(standing: Standing, now: datetime) -> Iterator[Wish]:
    """Everybody who was told hears that it is over, once; what nobody was told needs no withdrawal."""
    for call in _newest(standing.calls):
        if call.cause is not Cause.WITHDRAWN:
            since = min(now, standing.changed)
            yield Wish(call.person, standing.candidate, Cause.WITHDRAWN, standing.told, urgent=False, since=since)


def _newest(calls: Sequence[Call]) -> list[Call]:
    """The last call of each person."""
    return list({call.person: call for call in sorted(calls, key=lambda call: call.at)}.values())


def _is_team(name: str, policy: Policy) -> bool:
    person = policy.person(name)
    return person is not None and person.team


def _wish(  # noqa: PLR0913 — one sentence with its parts
    standing: Standing, person: str, cause: Cause, policy: Policy, now: datetime, since: datetime
) -> Wish:
    left = None if standing.deadline is None else standing.deadline - now
    urgent = left is not None and timedelta(0) < left <= policy.urgent
    held = standing.held and cause is Cause.RAISED  # from the first call on it is like any other
    return Wish(person, standing.candidate, cause, standing.told, urgent, since, held)
