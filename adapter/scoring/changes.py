"""What one state of a patient says that the state before it did not, found without reading both through.

Results that did not change are the very objects they were, and comparing a tuple with its like is fast where they are.
"""

from collections.abc import Collection, Mapping

from adapter.domain.observation import Observation, Result

Results = tuple[Result, ...]
Differing = tuple[tuple[Observation, ...], tuple[Observation, ...]]
"""Usable observations that are gone, and those that are new: a corrected one is both."""


def changed(before: Mapping[str, Results], after: Mapping[str, Results]) -> dict[str, Differing]:
    """By concept, where anything usable differs."""
    if before is after:
        return {}
    concepts = [c for c in {**before, **after} if before.get(c) is not after.get(c)]
    found = {concept: differing(before.get(concept, ()), after.get(concept, ())) for concept in concepts}
    return {concept: both for concept, both in found.items() if any(both)}


def differing(before: Results, after: Results) -> Differing:
    """Both are in order of time, so what differs lies together; most often at the end."""
    if after[: len(before)] == before:
        return (), _usable(after[len(before) :], frozenset())
    start = _alike(before, after)
    old, new = before[start:], after[start:]
    end = _alike(old[::-1], new[::-1])
    old, new = old[: len(old) - end], new[: len(new) - end]
    stayed = {id(result) for result in old} & {id(result) for result in new}
    return _usable(old, stayed), _usable(new, stayed)


def _alike(one: Results, other: Results) -> int:
    """With how many equal results both begin, by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _usable(results: Results, stayed: Collection[int]) -> tuple[Observation, ...]:
    return tuple(now for one in results if id(one) not in stayed and (now := one.usable) is not None)
