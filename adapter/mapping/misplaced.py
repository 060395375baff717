"""A unit where OBX-6 is silent: behind the number in OBX-5, or in the reference range of OBX-7 (clinical 6.1, trap 4)."""

import re

_NUMBER = r"[<>=≤≥]{0,2} *[+-]?[0-9.,]*[0-9]"
_BEHIND = re.compile(rf"({_NUMBER})(?: +(\S.*)|([^\W\d_eE].*|[%/*].*))")
"""A letter may stand close to the number (`98K/uL`), but `1e3` and `10E9/L` are left whole: the E may be an exponent."""
_RANGE = re.compile(rf"{_NUMBER}(?: *(?:-|–|to|bis) *{_NUMBER})? +(\S.*)")
_SCORE = re.compile(r"([+-]?[0-9]+)[ .:;,=(/\u2013-]+(?=[^0-9]*[^\W\d_]{3})[^0-9<>=≤≥+]+")
"""`-4 Deep sedation`; `10T` and `10 T` say that a part could not be tested, `-1 to 0` says two numbers."""
_WORD = re.compile(r"[^\W\d_]|[%/#{]")
_LONGEST = 100
"""Characters: no number with its unit is longer."""


def apart(text: str) -> tuple[str, str]:
    """`1.2 mg/dL` → (`1.2`, `mg/dL`); a text of another form comes back whole, with no unit."""
    found = _BEHIND.fullmatch(text) if len(text) <= _LONGEST else None
    unit = "" if found is None else found[2] or found[3]
    return (found[1], unit) if found and _WORD.search(unit) else (text, "")


def scored(text: str) -> str:
    """The points of a scale before the words for them, as flowsheets write them; a text of another form comes back whole."""
    found = _SCORE.fullmatch(text) if len(text) <= _LONGEST else None
    return text if found is None else found[1]


def of_range(text: str) -> str:
    """`150-400 10*9/L`, `< 5 mg/L` or the unit alone → the unit as written; whether it is one, others know."""
    found = _RANGE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    unit = found[1] if found else text.strip()[:_LONGEST]
    return unit if _WORD.search(unit) else ""
