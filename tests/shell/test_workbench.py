"""What nobody mapped: surveyed without telling of anybody, mapped by one line, and read again as if it had always been known."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from adapter import assets
from adapter.daemon import amending, workbench
from adapter.daemon.amending import Author
from adapter.daemon.workbench import Desk, Order, carry_out
from adapter.errors import RejectedError, UnavailableError
from adapter.mapping.amend import SiteLine
from adapter.pipeline.keep import Keeper
from adapter.pipeline.outgoing import NotifierOutlet
from adapter.pipeline.process import Processor
from adapter.pipeline.survey import survey
from adapter.screening.rulebook import Rulebook
from adapter.store import again, audit, inbox, projections, unmapped
from adapter.store.secret import SiteSecret
from tests import nursery, stores
from tests.amending import CODE, LINES, SITE, UNIT, day, folder, platelets
from tests.builders import T0, adt, dtm, oru, raw
from tests.installation import Installation, tell, until
from tests.walking import NOW, House


@cache
def read(place: Path, _text: str) -> Rulebook:
    """Once for each text of the site's file."""
    return assets.load_rulebook(place, trials=("immunosep-demo",))


@dataclass
class Ward(House):
    """A house whose rules stand in an operator's folder."""

    folder: Path

    def arrive(self, bodies: list[bytes]) -> None:
        for body in bodies:
            said = raw(body, site="klinikum", sender="LAB|HOSP", control_id=body[:80].decode("latin-1"))
            with self.database.write() as tx:
                inbox.put_many(tx, [said])
            self.work()

    @property
    def desk(self) -> Desk:
        return Desk(
            self.database, lambda: self.now, self.load, rules=lambda: self.keeper.rules, adopt=self.processor.adopt
        )

    def load(self) -> Rulebook:
        return read(self.folder, (self.folder / "mappings/sites/klinikum.yaml").read_text())

    def add(self, line: SiteLine) -> dict[str, Any]:
        order = Order("klinikum", line, Author("E. Braun", self.now, "catalogue"))
        planned = amending.plan(self.folder, self.keeper.rules, "klinikum", line, order.author)
        desk = self.desk
        done = carry_out(order, planned, self.load, lambda said: workbench.COMMANDS[said["command"]](desk, said))
        self.work()
        return done

    def believed(self) -> list[str]:
        """State, worklist and what became of every message, less the digest of the rules and which message spoke last."""
        with self.database.read() as conn:
            rows = conn.exec_driver_sql("SELECT id, state, ledger, issues FROM inbox_outcomes ORDER BY id").all()
            return [*projections.lines(conn), *map(str, rows), *map(str, unmapped.listing(conn, 100))]


def ward(place: Path, store: Path) -> Ward:
    rules = read(place, (place / "mappings/sites/klinikum.yaml").read_text())
    database = stores.opened(store)
    keeper = Keeper(
        database, rules, SiteSecret.load_or_create(store / "secret.key"), (NotifierOutlet("mail"),), "https://w/c/"
    )
    made = Ward(database, None, keeper, NOW, place)  # type: ignore[arg-type] — the processor needs the ward's clock
    made.processor = Processor(database, rules, keeper, lambda: made.now, lambda: None)
    return made


@pytest.fixture
def klinikum(each_store: str, tmp_path: Path) -> Iterator[Ward]:
    made = ward(folder(tmp_path / "etc"), tmp_path)
    yield made
    made.processor.close()
    made.database.close()


def met(house: Ward) -> dict[tuple[str, str], int]:
    with house.database.read() as conn:
        return {(one.code, one.detail): one.count for one in unmapped.listing(conn, 100)}


MERGE = adt("A40", patient="200", merged="100", control="M1", sent=dtm(T0 + timedelta(hours=2)))


@pytest.mark.parametrize(("tied", "verdicts"), [([], ["candidate"] * 2), ([MERGE], ["candidate"])], ids=["two", "one"])
def test_messages_read_again_say_what_they_would_have_said_had_the_lines_always_been_there(
    klinikum: Ward, tmp_path: Path, tied: list[bytes], verdicts: list[str]
) -> None:
    told = day("100", corrected=True) + day("200", corrected=True) + tied
    klinikum.arrive(told)
    assert klinikum.rows == []
    assert met(klinikum) == {
        ("unmapped-code", "THRO"): 4, ("unmapped-code", "KAL"): 2, ("unmapped-drug", "NORA1"): 2
    }  # fmt: skip
    done = [klinikum.add(line)["messages"] for line in LINES]
    assert done == [4, 2, 2, 2, 2]
    assert met(klinikum) == {}
    counts = klinikum.counts()
    assert (counts.received, counts.applied, counts.pending) == (len(told), len(told), 0)
    (tmp_path / "other").mkdir()
    other = ward(klinikum.folder, tmp_path / "other")
    other.keeper.secret = klinikum.keeper.secret
    other.arrive(told)
    mine, theirs = klinikum.believed(), other.believed()
    other.processor.close()
    other.database.close()
    assert [row.verdict for row in klinikum.rows if row.shown] == verdicts
    assert _plain(mine) == _plain(theirs)


def _plain(lines: list[str]) -> list[str]:
    """Without what tells only when somebody was told: how often, by which rules, at what moment, and what is history."""
    plain = [_row(json.loads(line)[1]) if line.startswith('["candidates"') else line for line in lines]
    return [line for line in plain if line]


def _row(row: dict[str, Any]) -> str:
    if not row["shown"]:
        return ""
    return json.dumps(
        {name: row[name] for name in ("id", "verdict", "certainty", "stratum", "shown", "deadline", "standing")}
    )


def test_a_correction_in_a_unknown_unit_takes_the_result_back_until_the_unit_is_known(klinikum: Ward) -> None:
    klinikum.add(CODE)
    klinikum.arrive(
        [
            oru(platelets("90"), control="1", order="P"),
            oru(platelets("41", "10 hoch 9/L", status="C"), control="2", order="P", issued="20260102040000"),
        ]
    )
    assert believed_platelets(klinikum) == [None]
    klinikum.add(UNIT)
    assert believed_platelets(klinikum) == [41]


def believed_platelets(house: Ward) -> list[int | None]:
    from adapter.domain.patient import PatientId
    from adapter.store import patients

    with house.database.read() as conn:
        state = patients.load(conn, PatientId("klinikum", "HOSP", "100"))
    return [
        None if r.usable is None or r.usable.quantity is None else int(r.usable.quantity.value)
        for r in state.results["platelets"]
    ]


def test_people_are_told_once_and_nothing_is_read_twice(klinikum: Ward) -> None:
    klinikum.arrive(day())
    klinikum.add(CODE)
    assert klinikum.owed("mail") == ["raised"]
    assert klinikum.add(CODE) | {"file": ""} == {"file": "", "backup": "", "messages": 0, "running": True}
    klinikum.arrive(day())
    assert klinikum.counts().duplicate == 5
    assert klinikum.owed("mail") == []


def test_an_act_cut_short_is_finished_by_asking_again(klinikum: Ward) -> None:
    klinikum.arrive(day())
    desk = klinikum.desk
    order = Order("klinikum", CODE, Author("E", klinikum.now))

    def dies(said: Any) -> dict[str, Any]:
        if said["command"] == "mapping-again":
            raise UnavailableError("gone")
        return workbench.COMMANDS[said["command"]](desk, said)

    planned = amending.plan(klinikum.folder, klinikum.keeper.rules, "klinikum", CODE, order.author)
    with pytest.raises(UnavailableError):
        carry_out(order, planned, klinikum.load, dies)
    assert klinikum.rows == []
    assert klinikum.add(CODE)["messages"] == 1
    assert klinikum.row.verdict == "candidate"


def test_only_the_messages_that_had_the_finding_wait_again_in_their_order(klinikum: Ward) -> None:
    klinikum.arrive(day("100", corrected=True) + day("200", corrected=True))
    with klinikum.database.write() as tx:
        [which] = workbench.mended("klinikum", CODE)
        found, after = again.affected(tx, which, 0, 3)
        more, end = again.affected(tx, which, after, 3)
        assert ([message for message, _ in found + more], end) == ([2, 4, 8, 10], 0)
        assert again.put_back(tx, [8, 2, 4]) == [2, 4, 8]
        assert again.put_back(tx, [8, 2, 4]) == []
    assert klinikum.counts().pending == 3
    klinikum.work()
    assert met(klinikum)["unmapped-code", "THRO"] == 4


def test_a_daemon_that_reads_by_other_files_refuses_and_the_file_stays(klinikum: Ward) -> None:
    site = klinikum.folder / "mappings" / "sites" / "klinikum.yaml"
    site.write_text(SITE.replace('decimal: "."', 'decimal: ","'))
    with pytest.raises(RejectedError, match="restart it first"):
        klinikum.add(CODE)
    assert "THRO" not in site.read_text()
    assert list(site.parent.glob("*.bak")) == []


def test_the_file_is_as_it_was_where_the_daemon_refuses_late(klinikum: Ward) -> None:
    def late(said: Any) -> dict[str, Any]:
        if said["command"] == "mapping-adopt":
            raise RejectedError("no")
        return {"running": True}

    author = Author("E", klinikum.now)
    planned = amending.plan(klinikum.folder, klinikum.keeper.rules, "klinikum", CODE, author)
    with pytest.raises(RejectedError):
        carry_out(Order("klinikum", CODE, author), planned, klinikum.load, late)
    assert (klinikum.folder / "mappings/sites/klinikum.yaml").read_text() == SITE


@pytest.mark.parametrize(
    ("site", "line", "said"),
    [
        ("klinikum", SiteLine("code", "X", "platelet"), "unknown concept 'platelet' — did you mean 'platelets'"),
        ("klinikum", SiteLine("drug", "X", "norepinefrine"), "did you mean 'norepinephrine'"),
        ("klinikum", SiteLine("unit", "X", "10*9/l"), "unknown unit '10*9/l' — did you mean '10*9/L'"),
        ("klinikum", SiteLine("code", "X", "platelets", unit="mg/dL"), "has no conversion from 'mg/dL'"),
        ("klinikum", SiteLine("code", "X", "pao2", specimen="arteriel"), "unknown specimen 'arteriel'"),
        ("klinikum", SiteLine("code", "NA", "crp"), "klinikum.yaml:9: 'NA' stands there already"),
        ("attikon", CODE, "is a shipped example — copy it first: cp "),
        ("klinkum", CODE, "no site 'klinkum' — did you mean 'klinikum'"),
    ],
)
def test_a_line_that_cannot_be_is_refused_with_the_nearest_word(
    tmp_path: Path, site: str, line: SiteLine, said: str
) -> None:
    place = folder(tmp_path)
    rules = assets.load_rulebook(place, trials=())
    with pytest.raises(RejectedError) as refused:
        amending.plan(place, rules, site, line, Author("E", NOW))
    assert said in str(refused.value)
    assert (place / "mappings/sites/klinikum.yaml").read_text() == SITE


def test_the_old_file_is_kept_with_its_rights(tmp_path: Path) -> None:
    place = folder(tmp_path)
    site = place / "mappings/sites/klinikum.yaml"
    site.chmod(0o640)
    planned = amending.plan(
        place, assets.load_rulebook(place, trials=()), "klinikum", CODE, Author("E. Braun", NOW, "May")
    )
    kept = amending.write(planned, NOW)
    assert (kept.read_text(), kept.stat().st_mode & 0o777, site.stat().st_mode & 0o777) == (SITE, 0o640, 0o640)
    assert "  THRO: platelets  # E. Braun, 2026-01-02: May\n" in site.read_text()
    assert site.read_text().replace("  THRO: platelets  # E. Braun, 2026-01-02: May\n", "") == SITE
    assert sorted(p.name for p in site.parent.iterdir()) == sorted([site.name, kept.name])
    with pytest.raises(RejectedError, match="changed meanwhile"):
        amending.write(planned, NOW + timedelta(seconds=1))


# --- the survey -------------------------------------------------------------------------------------------------------


def found(house: Ward, said: str) -> dict[str, Any]:
    with house.database.read() as conn:
        return next(one.as_json() for one in survey(conn, house.keeper.rules, 100) if one.met.missed.detail == said)


def test_values_of_few_patients_are_nobodys_to_see(klinikum: Ward) -> None:
    values = ("63", "123", "244", "389", "401")
    for number, value in enumerate(values[:4]):
        klinikum.arrive([oru(platelets(value), control=f"C{number}", order=f"O{number}", patient=f"{number}")])
    few = found(klinikum, "THRO")
    assert (few["count"], few["values"]) == ("< 5", None)
    assert not any(value in json.dumps(few) for value in values)
    klinikum.arrive([oru(platelets(values[4]), control="C9", order="O9", patient="9")])
    many = found(klinikum, "THRO")
    assert many["values"] == {"results": 5, "in_words": 0, "distinct": 5, "low": "63", "high": "410"}
    assert (many["count"], many["names"], many["units"], many["senders"]) == (
        5,
        ["Thrombozyten"],
        ["G/l"],
        ["LAB|HOSP"],
    )
    assert (many["first"], many["last"]) == ("2026-01-09T00:00:00+00:00",) * 2
    assert not any(value in json.dumps(many) for value in values[1:])


def test_what_stands_behind_a_number_may_be_anybodys_words_and_a_document_is_not_opened(klinikum: Ward) -> None:
    said = "OBX|1|ST|THRO^Thrombozyten^L||90 Frau MUSTER|||||||F"
    big = platelets("90", "SECRET") + "\rNTE|1||" + "x" * again.BIGGEST_EXAMPLE
    klinikum.arrive(
        [
            oru(said, control="1", order="1"),
            oru(said.replace("90 Frau MUSTER", "90 G/l"), control="2", order="2"),
            oru(big, control="3", order="3"),
        ]
    )
    one = found(klinikum, "THRO")
    assert (one["units"], "MUSTER" in json.dumps(one)) == (["G/l"], False)


def test_one_patient_measured_often_is_still_one(klinikum: Ward) -> None:
    klinikum.arrive([oru(platelets(f"{90 + n}"), control=f"C{n}", order=f"O{n}") for n in range(9)])
    assert (found(klinikum, "THRO")["count"], found(klinikum, "THRO")["values"]) == (9, None)


def test_units_drugs_answers_and_specimens_are_surveyed_with_the_concept_they_came_at(klinikum: Ward) -> None:
    klinikum.arrive([
        *day(),
        oru(
            obx_of("777-3", "90", "10 hoch 9/L"), "SPM|1|||MUCK^Muck", obx_of("2276-4", "5", "ng/mL"),
            "OBX|3|ST|94500-6^SARS^LN||ganz unklar||||||F", control="U", order="U", specimen="MUCK",
        ),
    ])  # fmt: skip
    unit, drug = found(klinikum, "10 hoch 9/L"), found(klinikum, "NORA1")
    assert (unit["code"], unit["concepts"]) == ("unmapped-unit", ["platelets"])
    assert (drug["code"], drug["names"]) == ("unmapped-drug", ["Noradrenalin"])
    assert found(klinikum, "MUCK")["code"] == "unknown-specimen"
    answer = found(klinikum, "sars-cov-2")
    assert (answer["code"], "unklar" in json.dumps(answer)) == ("unmapped-answer", False)
    with klinikum.database.read() as conn:
        proposed = {one.met.missed.detail: one.suggestions for one in survey(conn, klinikum.keeper.rules, 100)}
    assert proposed["THRO"][0].meaning == "platelets"
    assert proposed["10 hoch 9/L"][0].meaning == "10*9/L"
    assert proposed["NORA1"][0].meaning == "norepinephrine"
    assert proposed["sars-cov-2"] == ()


def obx_of(code: str, value: str, unit: str) -> str:
    return f"OBX|1|NM|{code}^{code}^LN||{value}|{unit}|||||F"


def test_what_is_told_apart_is_bounded_and_still_adds_up(klinikum: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unmapped, "MOST", 3)
    codes = [f"Q{number}" for number in range(6)]
    klinikum.arrive([
        oru(platelets("1", code=code), control=f"{number}", order=f"{number}")
        for number, code in enumerate([*codes, "Q0", "Q5"])
    ])  # fmt: skip
    counted = met(klinikum)
    assert sum(counted.values()) == 8
    assert len(counted) <= 4
    assert (counted["unmapped-code", "Q0"], counted["unmapped-code", unmapped.REST]) == (2, 4)
    with klinikum.database.write() as tx:
        again.put_back(tx, list(range(1, 9)))
    assert met(klinikum) == {}
    klinikum.work()
    assert met(klinikum) == counted


# --- as an operator meets it ------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "here", "")
    etc = folder(tmp_path / "etc")
    text = made.config.read_text().replace('site = "generic"', 'site = "klinikum"')
    made.config.write_text(text.replace('environment = "production"', f'environment = "production"\nassets = "{etc}"'))
    yield made
    made.end()


def run(place: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return nursery.run("mapping", *words, "--config", str(place.config), text=True)


def today() -> datetime:
    """Three hours ago: the daemon's clock is the machine's."""
    return datetime.now(UTC) - timedelta(hours=3)  # noqa: TID251 — as the daemon


WHO = ("--site", "klinikum", "--by", "E. Braun")


def test_a_line_is_tried_then_added_beside_the_daemon_or_before_its_next_start(
    place: Installation, tmp_path: Path
) -> None:
    """Two starts and six commands, each a process: what an operator does on day two, once, from end to end."""
    place.start()
    tell(place.mllp, *day(at=today(), corrected=True))
    place.settled(6)
    proposed = {
        one["said"]: one
        for one in map(json.loads, run(place, "suggest", "--source", "lab", "--json").stdout.splitlines())
    }
    thrombocytes = proposed["THRO"]
    assert (thrombocytes["count"], thrombocytes["suggestions"][0]["meaning"]) == ("< 5", "platelets")
    assert "THRO Thrombozyten" in run(place, "coverage").stdout
    site = tmp_path / "etc/mappings/sites/klinikum.yaml"
    done = json.loads(run(place, "add", "THRO", "platelets", *WHO, "--reason", "catalogue", "--json").stdout)
    assert (done["messages"], done["running"], site.read_text().count("THRO: platelets  # E. Braun, ")) == (2, True, 1)
    place.settled(6)
    assert candidates(place) == []
    tried = run(place, "add", UNIT.word, UNIT.meaning, "--unit-spelling", *WHO, "--try")
    assert (tried.returncode, "incomplete -> candidate (" in tried.stdout) == (1, True), tried
    assert "1 messages with 1 such findings" in tried.stdout
    assert "-1  unmapped unit" in tried.stdout
    assert UNIT.word not in site.read_text()
    assert place.stop() == 0
    added = run(place, "add", UNIT.word, UNIT.meaning, "--unit-spelling", *WHO)
    assert (added.returncode, "1 messages to be read again when the daemon starts" in added.stdout) == (0, True), added
    place.start()
    place.settled(6)
    until(lambda: candidates(place) == ["candidate"])
    acts = [(act.actor, act.action, act.reason) for act in acts_of(place) if act.action.startswith("mapping")]
    assert acts == [("E. Braun", f"mapping-{word}", why) for why in ("catalogue", "") for word in ("add", "again")]
    assert place.stop() == 0


def acts_of(place: Installation) -> list[audit.Act]:
    with looked_into(place) as conn:
        return [row.act for row in audit.listing(conn)]


def candidates(place: Installation) -> list[str]:
    with looked_into(place) as conn:
        return [str(row[0]) for row in conn.exec_driver_sql("SELECT verdict FROM candidates WHERE shown = 1")]


@contextmanager
def looked_into(place: Installation) -> Iterator[Connection]:
    database = stores.opened(place.folder / "data", read_only=True)
    with database.read() as conn:
        yield conn
    database.close()
