from dataclasses import replace

import pytest

from adapter.domain.observation import Result, ResultStatus
from adapter.store.codec import instant, versions_text
from adapter.store.unread import Unread, stored
from tests.builders import T0, after, observation

PLATELETS = observation("platelets", "98", "10*3/uL", T0)


def row(*versions: Result | object) -> Result:
    result = Result(versions)  # type: ignore[arg-type]
    newest = result.versions[-1]
    return stored(instant(newest.effective), newest.identity, versions_text(result.versions))


@pytest.mark.parametrize("status", ResultStatus)
def test_an_unread_result_is_the_one_that_was_stored(status: ResultStatus) -> None:
    said = replace(PLATELETS, status=status)
    whole, read = Result((said,)), row(said)
    assert isinstance(read, Unread)
    assert (read.at, read.identity, read.counts) == (whole.at, whole.identity, whole.counts)
    assert read._text  # not looked at so far
    assert read == whole == read
    assert not read._text
    assert hash(read) == hash(whole)
    assert (read.current, read.usable) == (whole.current, whole.usable)


def test_of_several_statements_only_all_say_what_stands() -> None:
    promoted = replace(PLATELETS, status=ResultStatus.PROMOTED, issued=after(1), digest="p" * 64)
    read = row(replace(PLATELETS, status=ResultStatus.PRELIMINARY), promoted)
    assert not isinstance(read, Unread)
    assert read.counts


def test_words_that_look_like_a_status_are_words() -> None:
    said = replace(PLATELETS, code='"status":"withdrawn"', status=ResultStatus.FINAL)
    read = row(said)
    assert read.counts
    assert read.usable == said


def test_what_is_written_in_another_way_is_read_at_once() -> None:
    text = versions_text((PLATELETS,)).replace('"status":', '"status": ')
    read = stored(instant(PLATELETS.effective), PLATELETS.identity, text)
    assert not isinstance(read, Unread)
    assert read.usable == PLATELETS


def test_an_unread_result_has_nothing_else() -> None:
    with pytest.raises(AttributeError):
        _ = row(PLATELETS).nothing  # type: ignore[attr-defined]
