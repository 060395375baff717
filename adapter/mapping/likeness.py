"""How alike two names are: by the groups of three letters they share, so that endings and compounds of any language count."""

import re

from adapter.mapping.plain import same_word

FILLING = frozenset(
    [
        "in",
        "im",
        "i",
        "of",
        "the",
        "and",
        "der",
        "die",
        "das",
        "van",
        "het",
        "een",
        "en",
        "und",
        "op",
        "bei",
        "by",
        "per",
        "for",
        "fur",
        "voor",
        "blood",
        "serum",
        "plasma",
        "blut",
        "vollblut",
        "edta",
        "heparin",
        "bloed",
        "volbloed",
        "αιμα",
        "αιματος",
        "ορου",
        "ορος",
        "b",
        "s",
        "p",
        "bl",
    ]
)
"""Words that say nothing about what was measured: every laboratory puts them elsewhere."""
WORD = re.compile(r"[^\W_]+|[%/]")
Letters = frozenset[str]


def letters(name: str) -> Letters:
    """The threes of a name's words, each word with its beginning and end marked; case, accents and order do not matter."""
    words = [word for word in WORD.findall(same_word(name)) if word not in FILLING]
    return frozenset(three for word in words for three in _threes(word))


def _threes(word: str) -> list[str]:
    marked = f"^{word}$"
    return [marked[at : at + 3] for at in range(len(marked) - 2)]


def alike(one: Letters, other: Letters) -> float:
    """0 to 1: twice what is shared in all there is, so that words too many count as much as words too few."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
