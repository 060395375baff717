"""What the fields of a case cannot say; the first line of each docstring stands on the page."""

from datetime import UTC, datetime

from adapter.domain.visits import visits
from adapter.screening.interpret import interpret
from adapter.store import audit
from adapter.store.projections import Span
from adapter.store.projections import told as told_again
from tests.builders import usable
from tests.catalogue.bench import GOOD, Seen, believed, code, rules


def bytes_kept(seen: Seen) -> None:
    """stored byte for byte as sent"""
    assert seen.bodies() == list(seen.case.send)  # type: ignore[arg-type]


def each_flagged(seen: Seen) -> None:
    """each of the two carries the issue, on a replay too"""
    assert len(seen.bad) == 2
    with seen.house.database.read() as conn:
        stored = [one.message for one in told_again(conn, Span(), 0, 10) if one.message.control_id not in GOOD]
    again = [interpret(one, rules(), message_id="1").issues for one in stored]
    told = [[str(issue["code"]) for issue in one] for one in seen.outcome("issues")]  # type: ignore[attr-defined]
    assert [one.count("two-messages-in-frame") for one in told] == [1, 1]
    assert [[issue.code for issue in one] for one in again] == told


def one_visit(seen: Seen) -> None:
    """one visit, the newest ward"""
    (visit,) = visits(seen.state().statements)
    assert visit.ward == "WARD7"


def one_visit_by_admission(seen: Seen) -> None:
    """one visit, told by class and time of admission"""
    (visit,) = visits(seen.state().statements)
    assert visit.visit == "I@2026-01-02T02:00:00+00:00"


def over(seen: Seen) -> None:
    """one visit, begun and ended"""
    (visit,) = visits(seen.state().statements)
    assert (visit.admitted, visit.discharged) == (
        datetime(2026, 1, 2, 2, tzinfo=UTC),
        datetime(2026, 1, 2, 6, tzinfo=UTC),
    )


def open_again(seen: Seen) -> None:
    """the visit runs on"""
    (visit,) = visits(seen.state().statements)
    assert visit.discharged is None


def place_kept(seen: Seen) -> None:
    """the place as the sender named it"""
    (visit,) = visits(seen.state().statements)
    assert visit.ward == "NOWHERE"


def withdrawn(seen: Seen) -> None:
    """raised, then withdrawn"""
    assert seen.house.owed("mail") == ["raised", "withdrawn"]


def told_of_the_change(seen: Seen) -> None:
    """raised, then updated"""
    assert seen.house.owed("mail") == ["raised", "updated"]


def told_once(seen: Seen) -> None:
    """raised once, nothing more"""
    assert seen.house.owed("mail") == ["raised"]


def two_patients(seen: Seen) -> None:
    """two patients, a result each"""
    assert believed(seen.state("100", "HOSP"), "platelets") == "98"
    assert believed(seen.state("100", "OTHER"), "platelets") == "40"


def each_to_their_own(seen: Seen) -> None:
    """each result with its own patient"""
    assert believed(seen.state("100"), "platelets") == "98"
    assert believed(seen.state("200"), "platelets") == "40"


def one_person(seen: Seen) -> None:
    """one person, by the smaller number"""
    assert seen.state("100") == seen.state("200")
    assert seen.state("200").patient == seen.patient("100")


def moved_here(seen: Seen) -> None:
    """the visit, its results and its candidate are the other patient's"""
    assert [row.patient for row in seen.standing] == [seen.patient("100")]
    assert (believed(seen.state("100"), "ferritin"), believed(seen.state("200"), "ferritin")) == ("5200", None)


def moved_back(seen: Seen) -> None:
    """everything is where it was"""
    assert [row.patient for row in seen.standing] == [seen.patient("200")]
    assert (believed(seen.state("100"), "ferritin"), believed(seen.state("200"), "ferritin")) == (None, "5200")


def asked_whose(seen: Seen) -> None:
    """frozen, audited, and asked on the candidate's page"""
    asked = [row.assessment.get("screening_ids") for row in seen.standing]
    assert [len(numbers or ()) for numbers in asked] == [1]
    with seen.house.database.read() as conn:
        assert "identity-conflict" in [line.act.action for line in audit.listing(conn)]


def swapped(seen: Seen) -> None:
    """each lies in the other's bed"""
    beds = {number: [visit.bed for visit in visits(seen.state(number).statements)] for number in ("100", "200")}
    assert beds == {"100": ["2"], "200": ["1"]}


def zeros_matter(seen: Seen) -> None:
    """0100 is not 100"""
    assert believed(seen.state("0100"), "platelets") == "98"
    assert believed(seen.state("100"), "platelets") is None


def spaces_fall(seen: Seen) -> None:
    """the spaces round it do not count"""
    assert believed(seen.state("100"), "platelets") == "98"


def age_unknown(seen: Seen) -> None:
    """no date of birth is believed, and the age is asked"""
    assert seen.state().demographics.get("birth_date") == ""
    assert any(question.startswith("I1:") for question in seen.assessed().questions)


def year_only(seen: Seen) -> None:
    """the year is kept, no day is made up"""
    assert seen.state().demographics.get("birth_date") == "1950"


def sex_unknown(seen: Seen) -> None:
    """sex unknown"""
    assert seen.state().demographics.get("sex") == "unknown"


def name_deleted(seen: Seen) -> None:
    """the name is deleted, the sex stays"""
    demographics = seen.state().demographics
    assert (demographics.get("family"), demographics.get("sex")) == ("", "female")


def name_stays(seen: Seen) -> None:
    """the name stays"""
    assert seen.state().demographics.get("family") == "DOE"


def _family(seen: Seen) -> str:
    return seen.state().demographics.get("family")


def escapes_read(seen: Seen) -> None:
    r"""the name is `A|B^C&D~E\F`, line breaks inside it"""
    assert _family(seen).split() == ["A|B^C&D~E\\F", "G", "H"]
    assert believed(seen.state(), "platelets") == "98"


def escape_kept(seen: Seen) -> None:
    """what is not known stays as it was written"""
    assert _family(seen) == "A\\Cxx\\B\\"


def double_escape(seen: Seen) -> None:
    r"""the name is `\F\`"""
    assert _family(seen) == "\\F\\"


def greek_name(seen: Seen) -> None:
    """the name is ΓΕΩΡΓΙΟΥ"""
    assert _family(seen) == "ΓΕΩΡΓΙΟΥ"


def latin_name(seen: Seen) -> None:
    """the name is Renée"""
    assert _family(seen) == "Renée"


def japanese_name(seen: Seen) -> None:
    """the name is 山田"""
    assert _family(seen) == "山田"


def replaced_name(seen: Seen) -> None:
    """U+FFFD stands for what nobody can read"""
    assert "�" in _family(seen)


def name_cut(seen: Seen) -> None:
    """the name is cut, the results stay"""
    assert len(_family(seen)) <= 200


def inert(seen: Seen) -> None:
    """kept as it is, and in nothing that leaves the house"""
    (row,) = seen.standing
    family = _family(seen)
    assert family
    assert row.family == family
    with seen.house.database.read() as conn:
        sent = [str(line) for line in conn.exec_driver_sql("SELECT payload FROM outbox").scalars()]
    assert sent
    assert not [text for text in sent if family in text or family[:20] in text]


def own_delimiters(seen: Seen) -> None:
    """the answer is written with the sender's marks"""
    assert seen.answers[0].startswith(b"MSH#!@?%#")


def counted_as_reuse(seen: Seen) -> None:
    """`control_id_reuse` is 1"""
    assert seen.house.counts().control_id_reuse == 1


def echoed(seen: Seen) -> None:
    """MSA-2 is MSH-10 byte for byte"""
    assert code(seen.answers[0])[1] == b"x" * 150 + b" \xe9 <&>\"' \\T\\ {$} ;--/*%00" + b"y" * 24


def parts_kept(seen: Seen) -> None:
    """both values are kept"""
    assert {one.original.value for one in usable(seen.state(), "platelets")} == {"98", "40"}


def two_creatinines(seen: Seen) -> None:
    """both are kept; the worse one of the window scores"""
    assert len(usable(seen.state(), "creatinine")) == 2
    assert seen.assessed().sofa.organs["renal"].score == 2


def _missing(seen: Seen, organ: str) -> None:
    found = seen.assessed().sofa.organs[organ]
    assert (found.score, found.low, found.high) == (None, 0, 4), found


def no_cardiovascular(seen: Seen) -> None:
    """cardiovascular not computable: 0 to 4"""
    _missing(seen, "cardiovascular")


def running_at_some_dose(seen: Seen) -> None:
    """it ran, at an unknown dose: cardiovascular 3 to 4"""
    found = seen.assessed().sofa.organs["cardiovascular"]
    assert (found.low, found.high, found.flags) == (3, 4, ("weight_missing",)), found


def no_cns(seen: Seen) -> None:
    """CNS not computable: 0 to 4"""
    _missing(seen, "cns")


def no_respiration(seen: Seen) -> None:
    """respiration not computable"""
    assert seen.assessed().sofa.organs["respiration"].score is None


def ambiguous_hour(seen: Seen) -> None:
    """the first instant is kept and flagged"""
    (one,) = usable(seen.state(), "platelets")
    assert one.effective.astimezone(UTC) == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


def in_the_sites_zone(seen: Seen) -> None:
    """03:00 in Athens is 01:00 UTC"""
    (one,) = usable(seen.state(), "platelets")
    assert one.effective.astimezone(UTC) == datetime(2026, 1, 2, 1, tzinfo=UTC)


def shifted(seen: Seen) -> None:
    """04:30 in Athens"""
    (one,) = usable(seen.state(), "platelets")
    assert one.effective.astimezone(UTC) == datetime(2025, 3, 30, 1, 30, tzinfo=UTC)
