"""One person is one subject (reliability P9): merges, unlinks and moves in any order and number, with restarts between them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.domain.message import MessageKind
from adapter.domain.observation import BEGINNING
from adapter.domain.patient import PatientId, PatientState
from adapter.domain.persons import Knot, Person, knot_of, person_of
from adapter.domain.ties import Merge, Move, Tie, Unlink, in_force
from adapter.domain.visits import visits
from adapter.eligibility.episode import NO_VISIT
from adapter.pipeline.keep import Keeper
from adapter.pipeline.knots import state_of
from adapter.pipeline.numbers import WHICH_NUMBER, Register
from adapter.pipeline.process import Processor
from adapter.screening import actions
from adapter.screening.lives import is_known, visits_in
from adapter.store import outbox, patients, persons, worklist
from tests import stores
from tests.builders import usable
from tests.shell.test_merges import EDC, merge, who
from tests.shell.test_moves import TRIAL, candidate, moved, unlink
from tests.walking import House, open_house

STEPS = 25
EXAMPLES = 800 if os.environ.get("CI") else 80
"""Of `STEPS` ties each: 20,000."""
GRAPHS = int(os.environ.get("ADAPTER_GRAPHS", "12"))
"""Through the true store, of some fifteen ties each; `make torture` takes 1,500."""
RECORDS = "ABCDE"
VISITS = ("V1", "V2", "V3")


def record(letter: str) -> PatientId:
    return PatientId("s", "HOSP", letter)


def ties(random: Random, number: int) -> list[Tie]:
    found: list[Tie] = []
    for _ in range(number):
        one, other = (record(letter) for letter in random.sample(RECORDS, 2))
        at = BEGINNING + timedelta(minutes=random.randint(0, 6))
        kind = random.choice((Merge, Merge, Unlink, Move))
        if kind is Move:
            found.append(Move(one, other, *random.choices(VISITS, k=2), at, account=random.random() < 0.2))
        else:
            found.append(kind(one, other, at))
    return found


# --- of the graph alone -----------------------------------------------------------------------------------------------


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 2**32))
def test_every_graph_of_ties_makes_persons_who_share_no_record_and_no_visit(seed: int) -> None:
    """By a seed: a Random of Hypothesis takes two thirds of the time, and makes no graph shorter."""
    random = Random(seed)
    said = ties(random, STEPS)
    for length in range(1, STEPS + 1, 6):
        _is_sound(said[:length], random)
    shuffled = [*said, *random.sample(said, 5)]
    random.shuffle(shuffled)
    assert knot_of([], shuffled) == knot_of([], said)


def _is_sound(said: list[Tie], random: Random) -> None:
    knot = knot_of(map(record, RECORDS), said)
    members = [one for person in knot.persons for one in person.members]
    assert sorted(members) == knot.records == [record(letter) for letter in RECORDS]
    assert all(person.name in person.members for person in knot.persons)
    for one in knot.records:
        assert person_of(one, said) == knot.person(one)
        assert knot.place(one, "V1")[0] in {person.name for person in knot.persons}
    one, other = random.sample(knot.records, 2)
    _obeys_the_last_word(said, one, other)


def _obeys_the_last_word(said: list[Tie], one: PatientId, other: PatientId) -> None:
    """A later merge joins, a later unlink of what one ended in parts, a move and its return are nothing."""
    late = BEGINNING + timedelta(hours=1)
    joined = knot_of([], [*said, Merge(one, other, late)])
    assert joined.name(one) == joined.name(other)
    left = in_force([*said, Merge(one, other, late), Unlink(other, one, late + timedelta(1))])
    assert not leads(left, one, other)
    assert not leads(left, other, one)
    there, back = (
        Move(*pair, "V9", "V9", late + timedelta(days)) for days, pair in enumerate(((one, other), (other, one)))
    )
    returned = knot_of([], [*said, there, back])
    assert returned.place(one, "V9") == (returned.name(one), "V9")


def leads(merges: Iterable[Merge], start: PatientId, end: PatientId) -> bool:
    """Whether a record was merged into another, directly or through others."""
    found = {start}
    while new := {merge.survivor for merge in merges if merge.merged in found} - found:
        found |= new
    return end in found


# --- through the store ------------------------------------------------------------------------------------------------


class KilledError(BaseException):
    """The process ends here."""


@dataclass
class Graph:
    """Four records of one house, and what an independent reader knows of the subjects owed to the EDC."""

    house: House
    folder: Path
    random: Random
    prefix: str
    said: list[bytes] = field(default_factory=list)
    shown_as: dict[str, tuple[int, frozenset[PatientId]]] = field(default_factory=dict)
    """By subject: the step of its last bundle, and the records its person was known by then."""
    chosen: dict[str, int] = field(default_factory=dict)
    step: int = 0

    @property
    def numbers(self) -> list[str]:
        return [f"{self.prefix}{letter}" for letter in "1234"]

    def message(self) -> bytes:
        one, other = self.random.sample(self.numbers, 2)
        minute, visit = self.random.randint(0, 59), f"V{self.random.choice(one[-1] + other[-1])}"
        kind = self.random.choice(("merge", "merge", "unlink", "unlink", "move", "move", "told", "told"))
        if kind == "told":
            return self.random.choice(candidate(one, f"V{one[-1]}"))
        if kind == "move":
            return moved(one, other, minute, visit=visit, into=visit)
        return merge(one, other, minute) if kind == "merge" else unlink(one, other, minute)

    def go(self) -> None:
        """One step, perhaps cut short; then all that waits, in a process that may remember nothing."""
        self.step += 1
        self.house.now += timedelta(seconds=1)
        if self.random.random() < 0.2 and self.choose():
            pass
        else:
            self.said.append(self.message())
            self.house.put(self.said[-1])
        fate = self.random.random()
        if fate < 0.2:
            with suppress(KilledError):
                self.processor(before=fate < 0.1, after=fate >= 0.1).step()
            self.restart()
        self.house.work()
        self.check()

    def choose(self) -> bool:
        """A person says whose a number is, where the worklist asks."""
        asked = [row for row in self.rows() if row.assessment.get("screening_ids")]
        if not asked:
            return False
        row = self.random.choice(asked)
        number = self.random.choice(row.assessment["screening_ids"])
        act = actions.determination_body(
            patient=row.patient, trial=TRIAL, episode=row.episode, criterion=WHICH_NUMBER, answer="met",
            at=self.house.now, by="kim", note=number,
        )  # fmt: skip
        self.house.put(act, kind=MessageKind.ACTION)
        self.chosen[number] = self.step
        return True

    def processor(self, *, before: bool, after: bool) -> Processor:
        """One that dies when it has read a message, or when the commit has happened and nobody was told."""

        def die(*_: object) -> None:
            raise KilledError

        made = Processor(
            self.house.database, self.house.keeper.rules, self.house.keeper, lambda: self.house.now,
            die if after else lambda: None,
        )  # fmt: skip
        if before:
            made.heard = die
        return made

    def restart(self) -> None:
        house, old = self.house, self.house.keeper
        house.database.close()
        house.database = stores.opened(self.folder)
        house.keeper = Keeper(house.database, old.rules, old.secret, old.outlets, old.links)
        house.processor = Processor(house.database, old.rules, house.keeper, lambda: house.now, lambda: None)

    def rows(self) -> list[worklist.CandidateRow]:
        with self.house.database.read() as conn:
            return [row for number in self.numbers for row in worklist.of_patient(conn, who(number))]

    def people(self) -> list[tuple[Person, PatientState, list[PatientState]]]:
        """Everybody, with what holds of them and of all whose records hang together with theirs."""
        found = []
        with self.house.database.read() as conn:
            knots: list[Knot] = []
            for number in self.numbers:
                if not any(who(number) in knot.records for knot in knots):
                    knots.append(persons.knot(conn, who(number)))
            for knot in knots:
                states = [state_of(conn, person.name) for person in knot.persons]
                found += [(person, state, states) for person, state in zip(knot.persons, states, strict=True)]
        return found

    def check(self) -> None:
        people = self.people()
        with self.house.database.read() as conn:
            register = Register(conn, self.house.keeper.secret, TRIAL)
            own = {person: register.of(person, states) for person, _, states in people}
        held = [numbers.own for numbers in own.values() if numbers.own]
        assert len(held) == len(set(held)), "two persons, one number"
        for subject in self.taken():
            (person,) = (person for person, numbers in own.items() if numbers.own == subject)
            self.owed(subject, person)
        theirs = {person.name: visits_in(state) for person, state, _ in people}
        for row in self.rows():
            if row.standing:
                assert row.episode in {*theirs.get(row.patient, ()), NO_VISIT}, "an alert for nobody's visit"
        assert self.house.counts().quarantined == 0

    def owed(self, subject: str, person: Person) -> None:
        """A bundle of a subject is of the person it was of before, unless somebody chose since."""
        with self.house.database.read() as conn:
            known = frozenset(one for one in person.members if is_known(patients.load(conn, one)))
        for other, (step, records) in self.shown_as.items():
            chosen = self.chosen.get(other, 0) > step or self.chosen.get(subject, 0) > step
            if other == subject:
                assert chosen or not records - person.members, "a person's number goes on as somebody else's"
            else:
                assert chosen or not records & person.members, "one person, two subjects"
        self.shown_as[subject] = self.step, known

    def taken(self) -> set[str]:
        with self.house.database.write() as tx:
            due = outbox.due(tx, "edc", self.house.now, 50)
            for one in due:
                outbox.delivered(tx, one.id, None, self.house.now)
        return {one.subject for one in due}

    def end(self) -> object:
        """What holds of whom, and who is on the worklist; without numbers of orders, which the prefix is part of."""
        found = {}
        for person, state, _ in self.people():
            values = {concept: [one.quantity for one in usable(state, concept)] for concept in state.results}
            told = {name: stated.value for name, stated in state.demographics.fields.items()}
            found[person.name.value[-1]] = (len(person.members), values, told, visits(state.statements))
        return found, sorted((row.patient.value[-1], row.episode) for row in self.rows() if row.standing)


@pytest.fixture
def houses(each_store: str, tmp_path: Path) -> Iterator[tuple[House, Path]]:
    house = open_house(tmp_path, outlets=(EDC,))
    yield house, tmp_path
    house.database.close()


def test_one_person_is_one_subject_whatever_ties_their_records_and_whoever_dies(houses: tuple[House, Path]) -> None:
    """Then the same is told again of other numbers in another order, and ends alike."""
    house, folder = houses
    for seed in range(GRAPHS // 6 if house.database.many_writers else GRAPHS):  # a server takes longer for the same
        random = Random(seed)
        graph = Graph(house, folder, random, f"{seed:04}x")
        for _ in range(random.randint(15, 25)):
            graph.go()
        again = Graph(graph.house, folder, random, f"{seed:04}y")
        told = [body.replace(graph.prefix.encode(), again.prefix.encode()) for body in graph.said]
        random.shuffle(told)
        again.house.tell(*told)
        again.taken()
        assert again.end() == graph.end(), f"graph {seed}"
