"""Texts of the pages and their translations: `make languages` gathers the former and brings the latter up to date."""

from collections.abc import Iterator
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
KEYWORDS = {"_": None, "say": None, "mark": None, "gettext": None, "several": (1, 2), "ngettext": (1, 2)}
KEYWORDS |= {"pgettext": ((1, "c"), 2)}
SIGN = """Pages of the screening worklist in {name}.
Made by the project, NOT yet reviewed by a native-speaking clinician. Bring up to date with `make languages`.
"""


def gathered() -> Catalog:
    """Every text that the code and the templates say."""
    found = Catalog()
    for file, _, text, comments, context in extract_from_dir(WEB, METHODS, OPTIONS, KEYWORDS, strip_comment_tags=True):
        found.add(text, None, [(f"adapter/web/{file}", 1)], auto_comments=comments, context=context)
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
    head = "".join(f"# {line}\n" for line in SIGN.format(name=LANGUAGES[language]).splitlines())
    head += f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"MIME-Version: 1.0\\n"\n'
    head += f'"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {plural}\\n"\n\n'
    return head.encode() + body.getvalue()


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
        print(name, len(now), "texts;", "to translate:", *missing(now), sep="\n  ")
