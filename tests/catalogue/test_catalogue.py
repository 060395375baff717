"""The catalogue of bad input, case by case, between two good messages; and the page that tells of it."""

import re
from pathlib import Path

import pytest

from tests.catalogue import bench, elsewhere, page
from tests.catalogue.cases import ROWS
from tests.catalogue.model import Case, Row

ACKS = {"AA", "CA"}
ROOT = Path(__file__).parents[2]
CASES = [
    pytest.param(row, case, id=f"{row.id}{f' {n}' if len(row.cases) > 1 else ''} {case.what or row.given}"[:60])
    for row in ROWS
    for n, case in enumerate(row.cases, 1)
]
STRICT = [
    pytest.param(case, id=f"{row.id} {case.what or row.given}"[:60])
    for row in ROWS
    for case in row.cases
    if case.strict
]


@pytest.mark.parametrize(("row", "case"), CASES)
def test_a_bad_message_between_two_good_ones(row: Row, case: Case, tmp_path: Path) -> None:
    with bench.tried(case, tmp_path) as seen:
        spoken = [bench.code(answer) for answer in seen.answers]
        wire = [
            word if word in ACKS else f"{word} {bench.error(answer)}"
            for (word, _), answer in zip(spoken, seen.answers, strict=True)
        ]
        assert [word.split(" ", 2)[:2] for word in wire] == [word.split() for word in case.wire]
        ids = bench.control_ids_of(case)
        if len(ids) == len(spoken):
            assert [echo for _, echo in spoken] == ids
        if not row.later:
            became(seen, case)


def became(seen: bench.Seen, case: Case) -> None:
    assert bench.lot(seen.bad) == list(case.lot), seen.issues
    assert set(case.issues) <= seen.issues
    if case.bucket:
        assert case.bucket in seen.buckets[-1], seen.buckets
    for concept, value in case.holds.items():
        assert bench.believed(seen.state(), concept) == value
    if case.flags:
        flags = {flag for found in seen.state().results.values() for one in found for flag in one.versions[-1].flags}
        assert set(case.flags) <= flags
    if case.candidate is not None:
        assert bool(seen.standing) is case.candidate
    if case.counted:
        assert f'adapter_frame_errors_total{{feed="lab",kind="{case.counted}"}} 1.0' in seen.metrics
    if case.seconds:
        assert seen.seconds < case.seconds
    if case.check is not None:
        case.check(seen)


@pytest.mark.parametrize("case", STRICT)
def test_the_strict_profile_says_what_it_minds_and_keeps_it_all_the_same(case: Case, tmp_path: Path) -> None:
    with bench.tried(case, tmp_path, profile="strict") as seen:
        code, _ = bench.code(seen.answers[0])
        assert f"{code} {bench.error(seen.answers[0])}".strip() == case.strict
        assert bench.lot(seen.bad) == list(case.lot)


def test_one_house_bears_all_of_it_on_one_connection(each_store: str, tmp_path: Path) -> None:
    cases = [
        case for row in ROWS for case in row.cases if not case.apart and case.conduct != "waits" and not case.seconds
    ]
    with bench.borne(cases, tmp_path) as seen:
        ends = [str(one.state) for one in seen.rows if one.control_id.startswith("GOOD-")]
        assert ends == ["applied"] * len(cases)
        counts = seen.house.counts()
        assert counts.pending == 0
        assert not [one.reason for one in seen.rows if one.reason and one.reason.startswith("INTERNAL")]


def test_every_number_of_the_three_chapters_has_its_row() -> None:
    numbers = (
        [f"M{n:02d}" for n in range(1, 35)] + [f"H{n:02d}" for n in range(1, 41)] + [f"C{n:02d}" for n in range(1, 66)]
    )
    assert [row.id for row in ROWS] == numbers


def test_every_number_of_polled_servers_of_what_is_sent_and_of_the_pages_has_its_test() -> None:
    numbers = [f"F{n:02d}" for n in range(1, 41)] + [f"E{n:02d}" for n in range(1, 13)]
    numbers += [f"W{n:02d}" for n in range(1, 34)]
    assert [one.id for _, rows in elsewhere.SECTIONS for one in rows] == numbers


def test_a_row_is_tried_here_or_names_its_test_or_says_why_it_waits() -> None:
    for row in (*ROWS, *(one for _, rows in elsewhere.SECTIONS for one in rows)):
        assert row.cases or row.elsewhere or row.later, row.id
        if row.elsewhere:
            file, _, name = row.elsewhere.partition("::")
            assert re.search(rf"^def {name}\(", (ROOT / file).read_text(), re.MULTILINE), row.elsewhere


def test_the_page_is_the_catalogues() -> None:
    assert page.PATH.read_text(encoding="utf-8") == page.text(), "run python -m tests.catalogue.page"
