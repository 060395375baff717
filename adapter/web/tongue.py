"""The language of the page that is being made: texts, plurals, names of days and months, the decimal mark.

English is the language of the source, of the API, of exports and of the command line: only a page for a person is said in
another one (docs/adr/0032-languages-of-the-pages.md).
"""

import gettext
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment
from markupsafe import Markup

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "nl": "Nederlands", "de": "Deutsch", "el": "Ελληνικά"}
"""By tag, as their own speakers call them."""
FOLDER = Path(__file__).parent / "locale"
NUMBER = re.compile(r"(?:[<>]=?)?\s*-?\d+\.\d+", re.ASCII)

_spoken: ContextVar[str] = ContextVar("language", default=ENGLISH)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything made inside, in threads of it too, is said in this language."""
    before = _spoken.set(language if language in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        _spoken.reset(before)


def language() -> str:
    return _spoken.get()


def mark(text: str) -> str:
    """A text that stands in a table and is said where it is used: `make languages` finds it by this."""
    return text


def say(text: str, /, **values: object) -> str:
    """The text in the reader's language, with what it names put in; one without a translation stays English."""
    found = catalogue(language()).gettext(text) if text else ""
    return found % values if values else found


def several(one: str, more: str, number: int, /, **values: object) -> str:
    """The form that the reader's language uses with this number, which stands in it as `%(number)s`."""
    return catalogue(language()).ngettext(one, more, number) % (values | {"number": number})


def taught(environment: Environment) -> Environment:
    """Templates say `_("text")` and `{% trans %}`."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined] # added by the extension
        say,
        lambda one, more, number: catalogue(language()).ngettext(one, more, number),
        newstyle=True,
        pgettext=lambda context, text: catalogue(language()).pgettext(context, text),
    )
    environment.globals |= {"_": _told, "gettext": _told}
    return environment


def _told(text: str, /, **values: object) -> Markup:
    """What the extension's own `gettext` does, in a third of the time: a page says three hundred texts, most without values."""
    tongue = language()
    if not values:
        return _plain(tongue, text)
    return Markup(catalogue(tongue).gettext(text)) % values  # noqa: S704 — texts of ours and of translators, as the extension


@lru_cache(maxsize=4096)
def _plain(tongue: str, text: str) -> Markup:
    return Markup(catalogue(tongue).gettext(text)) % {}  # noqa: S704 — as `_told`


def in_english() -> Markup:
    """The attribute of what stays English on a page of another language: the protocol's text, what the rules say."""
    return Markup("") if language() == ENGLISH else Markup(' lang="en"')


def english(text: str) -> str:
    """The same for words within a sentence."""
    return text if language() == ENGLISH or not text else Markup('<span lang="en">{}</span>').format(text)


def inner(text: str) -> str:
    """A word amid a sentence: German keeps its capitals."""
    return text if language() == "de" else text[:1].lower() + text[1:]


def figure(text: str) -> str:
    """A measured number with the decimal mark of the language; never a mark between thousands, which could be read as one.

    What is no plain number, such as a code, is left as it is.
    """
    return text.replace(".", _decimal(language())) if NUMBER.fullmatch(text) else text


def plain(text: str) -> str:
    """A number as somebody typed it: where the language has a decimal comma, a single one is what a point is elsewhere."""
    comma = _decimal(language()) == "," and text.count(",") == 1 and "." not in text
    return text.replace(",", ".") if comma else text


def weekday(number: int) -> str:
    """`Fri`; Monday is 0."""
    return _names(language())[0][number]


def month(number: int) -> str:
    """`Jan` is 1."""
    return _names(language())[1][number - 1]


@cache
def catalogue(tongue: str) -> gettext.NullTranslations:
    """Read from the text that translators write: nothing has to be compiled before a start."""
    if tongue == ENGLISH:
        return gettext.NullTranslations()
    with (FOLDER / tongue / "LC_MESSAGES" / "adapter.po").open("rb") as file:
        found = read_po(file, locale=tongue)
    compiled = BytesIO()
    write_mo(compiled, found)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _decimal(tongue: str) -> str:
    return str(Locale(tongue).number_symbols["latn"]["decimal"])


@cache
def _names(tongue: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Short names as they stand within a date, without their full stops."""
    locale = Locale(tongue)
    days, months = locale.days["format"]["abbreviated"], locale.months["format"]["abbreviated"]
    return tuple(days[n].rstrip(".") for n in range(7)), tuple(months[n].rstrip(".") for n in range(1, 13))
