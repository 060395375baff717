"""What is news is counted as if somebody had gone through the list line by line."""

from hypothesis import given
from hypothesis import strategies as st

from adapter.store.accounts import Scope
from adapter.store.board import NEVER, Entry, Marks, Part
from adapter.web.parted import WITH_NEWS, Choice, Cut, Told, parted

IDS = [f"c{n}" for n in range(12)]
MOMENTS = st.sampled_from([f"2026-01-02T{hour:02}" for hour in range(6)])


def entry(name: str, changed: str, part: Part) -> Entry:
    return Entry(name, "trial", "", "", changed, changed, "site", part, changed)


@given(
    st.dictionaries(st.sampled_from(IDS), st.tuples(MOMENTS, st.sampled_from(Part))),
    MOMENTS | st.just(NEVER),
    st.dictionaries(st.sampled_from([*IDS, "gone"]), MOMENTS),
)
def test_news_are_counted_as_one_by_one(
    lines: dict[str, tuple[str, Part]], looked: str, opened: dict[str, str]
) -> None:
    parts = parted(entry(name, *line) for name, line in lines.items())
    marks = Marks(looked, opened)
    one_by_one = [one for part in WITH_NEWS for one in parts[part] if marks.news(one)]
    assert Told.of(parts).news(marks) == len(one_by_one)


def test_the_newest_come_first_where_nothing_is_left_to_do() -> None:
    lines = [entry(str(n), f"2026-01-0{1 + n % 3}", part) for n, part in enumerate([*Part, *Part])]
    parts = parted(lines)
    assert [one.id for one in parts[Part.OPEN]] == ["0", "4"]
    assert [one.id for one in parts[Part.OVER]] == ["6", "2"]
    assert [one.changed for one in parts[Part.WITHDRAWN]] == ["2026-01-02", "2026-01-01"]


def test_a_choice_takes_what_answers_to_all_of_it_and_names_the_wards_where_somebody_stands() -> None:
    everybody = [
        Entry("1", "one", "mals", "ICU", "", "", "north", Part.OPEN, ""),
        Entry("2", "one", "mals", "ED", "", "", "south", Part.DECIDED, ""),
        Entry("3", "two", "", "", "", "", "north", Part.OVER, ""),
        Entry("4", "one", "ip", "4B", "", "", "north", Part.WITHDRAWN, ""),
    ]

    def taken(choice: Choice) -> str:
        return "".join(one.id for one in choice.among(everybody))

    north = Scope(sites=frozenset({"north"}))
    assert taken(Choice()) == "1234"
    assert taken(Choice(trial="one")) == "124"
    assert taken(Choice(stratum="mals")) == "12"
    assert taken(Choice(stratum="mals", ward="ED")) == "2"
    assert taken(Choice(north, trial="one")) == "14"
    assert taken(Choice(Scope(trials=frozenset({"two"})))) == "3"
    assert taken(Choice(ward="nowhere")) == ""
    assert Cut.of(everybody).wards == ("ED", "ICU")
    assert Cut.of(Choice(north).among(everybody)).wards == ("ICU",)
