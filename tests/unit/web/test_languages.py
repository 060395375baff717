"""The pages in the languages of their readers: nothing is left out, nothing is half translated, scripts hear English."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import nodes
from starlette.testclient import TestClient

from adapter import assets
from adapter.alerting.life import STEPS
from adapter.alerting.model import Cause
from adapter.domain.assessment import Certainty, OrganStatus, Verdict
from adapter.domain.observation import Laboratory
from adapter.domain.trial import CriterionKind
from adapter.domain.truth import Truth
from adapter.eligibility.flag_words import FLAGS
from adapter.store import doubted, outbox
from adapter.store.calls import Delivered
from adapter.web import language, reached, render, times, tongue, words
from adapter.web.roles import RIGHTS
from adapter.web.tongue import ENGLISH, LANGUAGES, say, several, speaking
from adapter.web.values import value
from tests.languages import TRANSLATED, WEB, as_text, committed, gathered, missing, path_of, updated
from tests.web_house import House, first_candidate, hidden, house, mals, unclear

HOLE = re.compile(r"%\(\w+\)s|%%")
TAG = re.compile(r"<[^>]+>|&\w+;")
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
LETTERS = re.compile(r"[^\W\d_]{2}")
SEEN = {"title", "aria-label", "placeholder", "alt"}
"""Attributes that people read or hear."""
SAME_EVERYWHERE = {"SOFA", "SOFA-2:", "immunosep-adapter"}
VOID = {"meta", "link", "input", "br", "hr", "img", "rect", "path", "line", "circle", "polyline", "polygon"}


@pytest.mark.parametrize("name", TRANSLATED)
def test_every_text_is_translated_and_no_translation_is_left_over(name: str) -> None:
    """`make languages` brings the file up to date, and says what is missing."""
    now = updated(name)
    assert path_of(name).read_bytes() == as_text(name, now), "run `make languages`"
    assert list(missing(now)) == []
    assert not any(message.fuzzy for message in committed(name))


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_holes_and_the_tags_of_its_text(name: str) -> None:
    wrong = [
        (message.id, said)
        for message in committed(name)
        if message.id
        for text, said in _pairs(message.id, message.string)
        if sorted(HOLE.findall(text)) != sorted(HOLE.findall(said))
        or sorted(TAG.findall(text)) != sorted(TAG.findall(said))
        or '"' in TAG.sub("", said)
    ]
    assert wrong == []


def _pairs(text: str | tuple[str, ...], said: str | tuple[str, ...]) -> list[tuple[str, str]]:
    if isinstance(text, str):
        return [(text, str(said))]
    assert len(said) == 2
    return list(zip(text, said, strict=True))


def test_every_code_that_a_page_spells_out_has_a_translation() -> None:
    known = {message.id for message in gathered()}
    trials = assets.load_rulebook(None, trials=assets.trial_names(None)).trials
    spelled = {status for trial in trials for status, _ in trial.statuses}
    spelled |= {reason for trial in trials for _, reasons in trial.statuses for reason in reasons}
    spelled |= set(FLAGS) | set(Cause) | set(Verdict)
    told = {*STEPS, *RIGHTS, *Certainty, *OrganStatus, *CriterionKind, *Laboratory}
    told |= {str(answer).replace("-", " ") for answer in Truth}
    told |= {doubted.ALREADY, doubted.DECIDED}
    assert {words.sentence(str(code)) for code in spelled} - known == set()
    assert {str(code) for code in told} - known == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_a_text_of_its_own(path: Path) -> None:
    """Whatever people read goes through `_()` or `{% trans %}`; what is the same in every language is named above."""
    assert bare(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello there</p>",
        '<p title="Hello">{{ _("Fine") }}</p>',
        '<p>{{ "one thing" if number == 1 else _("Fine") }}</p>',
        '<p>{{ name or "Nobody" }}</p>',
        "{% trans %}Fine{% endtrans %} and more",
    ],
)
def test_a_text_of_its_own_would_be_found(source: str) -> None:
    assert len(bare(source)) == 1


def bare(source: str) -> list[str]:
    reader = Read()
    reader.feed("".join(_plain(source)))
    found = [text for text, english in reader.found if not english and LETTERS.search(text)]
    return [text for text in found if text not in SAME_EVERYWHERE] + list(_spoken_constants(source))


def _plain(source: str) -> Iterator[str]:
    """The template without its expressions, comments and translated blocks."""
    within = False
    for _, kind, text in render.environment().lex(source):
        if kind == "name" and text in {"trans", "endtrans"}:
            within = text == "trans"
        elif kind == "data" and not within:
            yield text


def _spoken_constants(source: str) -> Iterator[str]:
    """Words that an expression puts on the page by itself, as in `{{ "one" if … }}`."""
    for output in render.environment().parse(source).find_all(nodes.Output):
        for part in output.nodes:
            yield from (text for text in _said(part) if re.match(r"[A-Z][a-z]|[a-z]+ [a-z]", text))


def _said(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _said(node.expr1)
        if node.expr2 is not None:
            yield from _said(node.expr2)
    elif isinstance(node, nodes.Or | nodes.And | nodes.Concat):
        parts = node.nodes if isinstance(node, nodes.Concat) else [node.left, node.right]
        for part in parts:
            yield from _said(part)


class Read(HTMLParser):
    """What people read and hear of a page, and whether it is marked as English."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, bool]] = []
        self._open: list[tuple[str, bool]] = []

    @property
    def english(self) -> bool:
        return any(mark for _, mark in self._open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = "lang" in given and tag != "html"
        self.found += [(value, self.english or foreign) for name, value in attrs if name in SEEN and value]
        if tag not in VOID:
            self._open.append((tag, foreign or tag in {"code", "pre"}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append((" ".join(data.split()), self.english))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Candidates, a message nobody could read, a code nobody mapped, a decision, a note."""
    with house(tmp_path_factory.mktemp("languages")) as home:
        home.tell(*mals(), *unclear(), b"nobody")
        for role in RIGHTS:
            home.person(f"a-{role}", role)
        client = home.signed_in()
        one = first_candidate(client)
        form = hidden(client.get(one).text)
        client.post(f"{one}/determination", data=form | {"criterion": "I4", "answer": "met", "note": "4711"})
        client.post(f"{one}/status", data=form | {"choice": "declined|relative", "note": ""})
        client.post(f"{one}/claim", data={"csrf": form["csrf"], "to": "/"})
        yield home


PAGES = (
    (
        "anna",
        ("/", "/?part=decided", "/?trial=none", "CANDIDATE", "/log", "/figures", "/quality", "/alerts", "/account"),
    ),
    ("a-interface-admin", ("/quality", "/trail")),
    ("a-investigator", ("/emergency", "/quality")),
    ("a-auditor", ("/screened",)),
    ("", ("/sign-in", "/nowhere", "/c/x")),
)


@pytest.fixture(scope="module")
def told(full: House) -> dict[tuple[str, str, str], list[tuple[str, bool]]]:
    """(who, page, language) → what its reader reads."""
    decided = first_candidate(full.signed_in())
    found = {}
    for who, paths in PAGES:
        client = full.signed_in(who) if who else full.client()
        one = "/?part=decided"
        at = re.search(r'href="(/c/[0-9a-f]+)"', client.get(one).text) if who == "anna" else None
        for path in paths:
            for name in LANGUAGES:
                client.cookies.set("language", name)
                reader = Read()
                reader.feed(client.get(path.replace("CANDIDATE", at[1] if at else decided)).text)
                found[who, path, name] = reader.found
    return found


NAMES = re.compile(
    r"anna|a-[a-z-]+|lab|adt|generic|worklist|immunosep.*|4711|NO_MSH|PAPADOPOULOU|ELENI|NIKOLAOU|GEORGIOS|ED|Emergency|UTC|CSV|XLSX|bed|[np]\w+/mL|pmol/L|SOFA-2.*"
    r"|Nederlands|Deutsch|[A-Z]{10}|[IE]\d+|[a-z]+-[a-z-]+|[\d.,–−×/µA-Za-z₂³% ]*\d.*"
)
"""Of people, places, sources and codes, a screening number; whatever holds a number."""


@pytest.mark.parametrize("name", TRANSLATED)
def test_no_page_keeps_an_english_word(told: dict[tuple[str, str, str], list[tuple[str, bool]]], name: str) -> None:
    """What stands unchanged on the English page is the same word in both, an abbreviation, a name, or marked as English."""
    texts = _texts()
    tables = {*words.CONCEPTS.values(), *words.STRATA.values(), *words.UNITS.values()}
    known = {text for text in texts if _in(name, text) == text} | tables - texts | SAME_EVERYWHERE
    kept = set()
    for (who, path, spoken), found in told.items():
        if spoken == name:
            kept |= _parts(found) & _parts(told[who, path, ENGLISH])
    assert sorted(part for part in kept - known if not NAMES.fullmatch(part)) == []
    assert len(told) > len(LANGUAGES) * 10


def _parts(found: list[tuple[str, bool]]) -> set[str]:
    """What stands between commas and brackets."""
    texts = (part for text, foreign in found if not foreign for part in re.split(r"[\s.]*[,:;·()“”„«»→][\s.]*", text))
    return {text for text in texts if LETTERS.search(text)}


def _texts() -> set[str]:
    return {text for message in gathered() for text in ([message.id] if isinstance(message.id, str) else message.id)}


def _in(name: str, text: str) -> str:
    with speaking(name):
        return say(text)


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_page_says_its_language_and_that_nobody_reviewed_it(full: House, name: str) -> None:
    client = full.client()
    client.cookies.set("language", name)
    page = client.get("/sign-in").text
    assert f'<html lang="{name}">' in page
    assert _in(name, "Sign in") in page
    unreviewed = (
        "No native-speaking clinician has reviewed this translation yet; where in doubt, the English text holds."
    )
    assert _in(name, unreviewed) in page
    assert f'<span lang="en">{unreviewed}</span>' in page
    assert f'<span class="fine" lang="en">{render.INTENDED_USE}</span>' in page


def test_an_english_page_speaks_of_no_translation(full: House) -> None:
    page = full.client().get("/sign-in").text
    assert '<html lang="en">' in page
    assert "reviewed" not in page
    assert page.count('lang="en"') == 2, "the page itself, and the choice of English"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", "en"),
        ("el-GR,el;q=0.9,en;q=0.8", "el"),
        ("fr-FR, fr;q=0.9, nl;q=0.4, en;q=0.3", "nl"),
        ("en;q=0.2, DE-at;q=0.7", "de"),
        ("nl;q=0, en", "en"),
        ("nl;q=x, de;q=0.1", "de"),
        ("*", "en"),
        ("tlh", "en"),
        ("nl;q=0.1," * 10_000, "nl"),
    ],
)
def test_a_browser_says_which_language_it_likes(header: str, name: str) -> None:
    assert language.asked(header) == name


def test_an_installation_has_a_language_of_its_own(full: House) -> None:
    full.context = replace(full.context, language="de")
    try:
        client = full.client()
        assert '<html lang="de">' in client.get("/sign-in").text
        assert '<html lang="nl">' in client.get("/sign-in", headers={"accept-language": "nl"}).text
    finally:
        full.context = replace(full.context, language=ENGLISH)


def test_a_choice_is_kept_and_holds_against_the_browser(full: House) -> None:
    client = full.client()
    answer = client.post("/language", data={"language": "el", "to": "/sign-in?to=/log"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?to=/log")
    kept = answer.headers["set-cookie"].lower()
    assert "language=el" in kept
    assert "httponly" in kept
    assert "samesite=lax" in kept
    page = client.get("/sign-in?to=/log", headers={"accept-language": "nl"}).text
    assert '<html lang="el">' in page
    assert '<input type="hidden" name="to" value="/sign-in?to=/log">' in page


def test_behind_tls_the_choice_is_a_cookie_of_this_host_alone(full: House) -> None:
    full.context = replace(full.context, cookie_secure=True)
    try:
        kept = full.client().post("/language", data={"language": "de", "to": "/"}).headers["set-cookie"].lower()
    finally:
        full.context = replace(full.context, cookie_secure=False)
    assert kept.startswith("__host-language=de;")
    assert "; secure" in kept
    assert "; path=/;" in kept
    assert "domain" not in kept


@pytest.mark.parametrize(("given", "status"), [("tlh", 422), ("", 422), ("nl\r\nx", 422)])
def test_a_language_nobody_speaks_here_is_refused(full: House, given: str, status: int) -> None:
    answer = full.client().post("/language", data={"language": given, "to": "/"})
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


def test_a_choice_leads_to_no_other_site(full: House) -> None:
    answer = full.client().post("/language", data={"language": "nl", "to": "//evil.example"})
    assert answer.headers["location"] == "/"


def _dutch(full: House) -> TestClient:
    client = full.signed_in()
    client.cookies.set("language", "nl")
    return client


def test_scripts_and_files_hear_english_whatever_the_pages_speak(full: House) -> None:
    client = _dutch(full)
    flow = client.get("/api/v1/flow").json()
    assert flow["flow"][0]["step"] == "Looked at by the rules"
    assert {"declined: relative": 1}.items() <= flow["flow"][2]["left"].items() or "declined: relative" in str(flow)
    assert client.get("/api/v1/candidates/none").json()["detail"] == "There is no such candidate."
    csrf = client.get("/api/v1/session").json()["csrf"]
    asked = {"csrf": csrf, "trial": "immunosep-demo", "version": "trial", "format": "csv"}
    taken = client.post("/log/download", data=asked).text
    assert taken.lstrip("\ufeff").startswith("screening_number,age_band,sex,flagged")
    assert "declined" in taken


def test_a_refusal_is_said_in_the_readers_language(full: House) -> None:
    client = _dutch(full)
    page = client.post("/find", data={"csrf": "wrong", "words": "x"})
    assert page.status_code == 403
    assert "Dit formulier is te oud." in page.text
    assert "Niet toegestaan" in page.text


def test_plurals_follow_the_language() -> None:
    for name in TRANSLATED:
        with speaking(name):
            one, two, none = (several("%(number)s candidate", "%(number)s candidates", n) for n in (1, 2, 0))
        assert one.startswith("1 ")
        assert one.partition(" ")[2] != two.partition(" ")[2] or name == "de"
        assert two.partition(" ")[2] == none.partition(" ")[2]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("en", "Fri 2 Jan 14:00"), ("nl", "vr 2 jan 14:00"), ("de", "Fr 2. Jan 14:00"), ("el", "Παρ 2 Ιαν 14:00")],
)
def test_times_are_read_in_the_language(name: str, shown: str) -> None:
    with speaking(name):
        assert times.local(datetime(2026, 1, 2, 14, tzinfo=UTC), UTC) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("4420", "4420"),
        ("1.2", "1,2"),
        (">7500.5", ">7500,5"),
        ("-0.5", "-0,5"),
        ("12500", "12500"),
        ("B95.6", "B95.6"),
    ],
)
def test_a_measured_number_has_a_decimal_comma_and_no_mark_between_thousands(value: str, shown: str) -> None:
    for name in TRANSLATED:
        with speaking(name):
            assert words.quantity(value, "{score}") == shown
    assert words.quantity(value, "{score}") == value


def test_what_a_sender_wrote_and_what_a_rule_says_stay_as_they_are() -> None:
    with speaking("el"):
        assert words.verbatim("1.234", "mg/dL") == "1.234\u00a0mg/dL"
        assert words.rule("ferritin.latest above 4420 ng/mL") == "Ferritin above 4420 ng/mL"


def test_a_value_is_shown_beside_what_its_sender_wrote_only_where_that_differs() -> None:
    sent = {"concept": "bilirubin", "value": "1.2", "unit": "mg/dL", "original": {"value": "1.2", "unit": "mg/dL"}}
    with speaking("nl"):
        alike = value(sent, UTC)
        other = value(sent | {"original": {"value": "20.5", "unit": "umol/L"}}, UTC)
    assert (alike.label, alike.text, alike.original) == ("Bilirubine", "1,2\u00a0mg/dL", "")
    assert other.original == "20.5\u00a0µmol/L"


def test_what_a_server_answered_is_english_within_a_sentence_of_the_reader() -> None:
    way = Delivered(
        "hook", "k", "raised", outbox.WAITING, 1, "the webhook said <no>", datetime(2026, 1, 2, tzinfo=UTC), None
    )
    with speaking("de"):
        said = reached.way_of(way, UTC)
    assert said == 'wartet auf hook: <span lang="en">the webhook said &lt;no&gt;</span>'
    assert "lang" not in reached.way_of(way, UTC)


def test_every_page_module_keeps_its_words_where_they_are_found() -> None:
    """A text that is put together before it is said is in no catalogue."""
    wrong = [
        f"{path.name}:{call.lineno}"
        for path in sorted(WEB.glob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"say", "mark", "several"}
        if any(
            isinstance(given, ast.JoinedStr | ast.BinOp) for given in call.args[: 2 if call.func.id == "several" else 1]
        )
    ]
    assert wrong == []


def test_a_language_does_not_outlive_its_page() -> None:
    with speaking("el"):
        assert tongue.language() == "el"
    assert tongue.language() == ENGLISH
