"""One line more in a site's file: every other byte stays, and what the file then says is what it said and the line."""

import pytest

from adapter import assets
from adapter.errors import RejectedError
from adapter.mapping.amend import SiteLine, amended, comment_of, line_of, says, stands

BLOCK = """site: x                # a name
codes:                 # the sender's
  PLT: platelets       # counted
  GCS: {concept: gcs-total,
        unit: "{score}"}
  # FERR: ferritin

not_needed: [NA, K,
  CL]   # known
drugs: {}              # none yet
units: {"K/ul": "10*3/uL"}
holds: {rate: 2 h}
"""
CODE = SiteLine("code", "THRO", "platelets")
LINES = [
    CODE,
    SiteLine("code", "PO2A", "pao2", specimen="arterial"),
    SiteLine("code", "HLA DR", "mhladr", unit="{AB}/{cell}"),
    SiteLine("not-needed", "NATRIUM"),
    SiteLine("unit", "10E9/l", "10*9/L"),
    SiteLine("drug", "NORA", "norepinephrine"),
    SiteLine("code", "no", "crp"),
    SiteLine("code", "12", "crp"),
    SiteLine("code", '"Φ: #\\', "crp"),
]
TEXTS = {
    "as people write it": BLOCK,
    "as Windows writes it": BLOCK.replace("\n", "\r\n"),
    "without the section": "site: x\n",
    "without a last line end": "site: x",
    "empty sections": "site: x\ncodes:\nnot_needed:\nunits:\ndrugs: {}\n",
    "lists of lines": "site: x\nnot_needed:\n- NA\n- K   # potassium\ncodes: {A: crp}\n",
    "indented lists": "site: x\nnot_needed:\n    - NA\n\n# the end\n",
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.kind} {line.word}")
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_file_says_what_it_said_and_the_line_and_keeps_every_other_line(text: str, line: SiteLine) -> None:
    document = assets.document_of(text, "x.yaml")
    after = amended(text, document, line, "E. Braun, 2026-05-01: catalogue")
    found = assets.document_of(after, "x.yaml")
    assert says(found.data, document.data, line)
    assert stands(found, line)
    assert "# E. Braun, 2026-05-01: catalogue" in after
    for comment in ("# a name", "# counted", "# FERR: ferritin", "# known", "# potassium", "# the end"):
        assert (comment in after) == (comment in text)


def test_a_file_that_says_anything_else_is_told_apart() -> None:
    before = {"site": "x", "codes": {"PLT": "platelets"}}
    assert not says({"site": "y", "codes": {"PLT": "platelets", "THRO": "platelets"}}, before, CODE)
    assert not says({"site": "x", "codes": {"THRO": "platelets"}}, before, CODE)
    assert not says(
        {"site": "x", "not_needed": ["A", "A"], "codes": before["codes"]}, before, SiteLine("not-needed", "A")
    )


def test_a_line_stands_below_the_last_of_its_kind_with_its_comment() -> None:
    after = amended(BLOCK, assets.document_of(BLOCK, "x.yaml"), SiteLine("code", "A", "crp"), "E")
    assert after.splitlines()[4:7] == ['        unit: "{score}"}', "  A: crp  # E", "  # FERR: ferritin"]


def test_another_line_for_the_same_word_is_a_persons_to_change() -> None:
    document = assets.document_of(BLOCK, "x.yaml")
    assert stands(document, SiteLine("code", "PLT", "platelets"))
    for line in (SiteLine("code", "PLT", "wbc"), SiteLine("not-needed", "PLT"), SiteLine("code", "CL", "crp")):
        with pytest.raises(RejectedError, match=r"x\.yaml:[39]: '(PLT|CL)' stands there already"):
            stands(document, line)


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "code", "word": "A"},
        {"kind": "not-needed", "word": "A", "meaning": "crp"},
        {"kind": "other", "word": "A", "meaning": "crp"},
        {"kind": "code", "word": "", "meaning": "crp"},
        {"kind": "code", "word": "A\nB: c", "meaning": "crp"},
        {"kind": "code", "word": "\udce9", "meaning": "crp"},
    ],
)
def test_what_is_no_line_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(RejectedError):
        line_of(said)


def test_a_comment_is_one_line_whatever_a_person_writes() -> None:
    assert comment_of("E", "2026-05-01", "a\nsite: y") == "E, 2026-05-01: a site: y"
    assert len(comment_of("E" * 500, "2026-05-01", "")) < 130


def test_a_unit_is_mended_in_every_spelling_that_folds_to_it() -> None:
    line = SiteLine("unit", "10^9/l", "10*9/L")
    assert all(map(line.mends, ("10^9/l", "10*9/L", "10 * 9 / L")))
    assert not line.mends("10*6/L")
    assert not CODE.mends("thro")
