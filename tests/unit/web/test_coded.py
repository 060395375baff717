"""Every answer that the dictionary knows has words on the pages."""

from adapter.web import coded
from tests.web_house import rules


def test_every_answer_of_the_dictionary_has_words_and_every_word_an_answer() -> None:
    concepts = rules().dictionary.concepts.values()
    known = {answer for one in concepts if not one.open_answers for answer in one.answers.values()}
    assert known == coded.ANSWERS.keys()


def test_what_nobody_knows_is_shown_as_it_is() -> None:
    assert coded.answer("mask") == "Oxygen mask"
    assert coded.answer("112283007") == "112283007"
    assert coded.answer("") == ""
