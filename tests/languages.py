"""Texts of the pages and their translations: `make languages` gathers the former and brings the latter up to date."""

from collections.abc import Iterator
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from adapter.web.tongue import ENGLISH, FOLDER, LANGUAGES

WEB = FOLDER.parent
TRANSLATED = tuple(name for name in LANGUAGES if name != ENGLISH)
METHODS = [("templates/**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
JINJA = {"newstyle_gettext": "true", "trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
OPTIONS = {"templates/**.html": JINJA | {"silent": "false"}}
KEYWORDS = {"_": None, "say": None, "mark": None, "several": (1, 2), "gettext": None, "ngettext": (1, 2)} | {
    "pgettext": ((1, "c"), 2)
}
HEAD = """# Pages of the screening worklist: {name}.
# Made by the project, NOT yet reviewed by a native-speaking clinician. Bring up to date with `make languages`.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural}\\n"

"""


@cache
def _found() -> tuple[tuple[str, str | tuple[str, ...], str | None], ...]:
    """(file, text, context) of every text that the code and the templates say."""
    made = extract_from_dir(WEB, METHODS, OPTIONS, KEYWORDS)
    return tuple((file, text, context) for file, _, text, _, context in made)


def gathered() -> Catalog:
    found = Catalog()
    for file, text, context in _found():
        found.add(text, None, [(f"adapter/web/{file}", 1)], context=context)
    return found


def path_of(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "adapter.po"


def committed(language: str) -> Catalog:
    with path_of(language).open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """What is gathered, with the translations there are; nothing is guessed, and what nobody says any more is dropped."""
    found, known = gathered(), committed(language) if path_of(language).exists() else Catalog()
    for message in found:
        old = known.get(message.id, message.context) if message.id else None
        if old is not None and not old.fuzzy:
            message.string = old.string
    return found


def as_text(language: str, catalogue: Catalog) -> bytes:
    """Without dates and line numbers: only another text makes another file."""
    body = BytesIO()
    write_po(body, catalogue, width=120, omit_header=True, include_lineno=False, sort_output=True)
    plural = Catalog(locale=language).plural_forms
    return HEAD.format(name=LANGUAGES[language], language=language, plural=plural).encode() + body.getvalue()


def missing(catalogue: Catalog) -> Iterator[str]:
    """Texts that a translator has to look at."""
    for message in catalogue:
        said = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and not (said and all(said)):
            yield str(message.id)


if __name__ == "__main__":
    for name in TRANSLATED:
        path_of(name).parent.mkdir(parents=True, exist_ok=True)
        now = updated(name)
        path_of(name).write_bytes(as_text(name, now))
        left = list(missing(now))
        print(f"{LANGUAGES[name]}: {len(now)} texts, {len(left)} to translate", *left, sep="\n  ")
