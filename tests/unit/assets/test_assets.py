"""The shipped files are sound; a wrong one is named with file, line and the nearest known word."""

from pathlib import Path

import pytest

from adapter import assets
from adapter.errors import ConfigError
from adapter.mapping.reading import at

CONCEPTS = assets.root() / "mappings" / "concepts.yaml"


def written(folder: Path, text: str, name: str = "a.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_files_make_a_rulebook() -> None:
    rules = assets.load_rulebook(None, trials=["immunosep"])
    assert rules.digest.startswith("sha256:")
    assert set(rules.sites) >= {"generic", "attikon"}
    assert [trial.id for trial in rules.trials] == ["immunosep"]


def test_the_digest_follows_content_and_not_comments(tmp_path: Path) -> None:
    shipped = assets.load_rulebook(None, trials=["immunosep"]).digest
    text = CONCEPTS.read_text(encoding="utf-8")
    written(tmp_path, "# signed by a clinician\n" + text, "mappings/concepts.yaml")
    assert assets.load_rulebook(tmp_path, trials=["immunosep"]).digest == shipped
    written(tmp_path, text.replace("umol/L: 1/17.1", "umol/L: 1/17.2"), "mappings/concepts.yaml")
    assert assets.load_rulebook(tmp_path, trials=["immunosep"]).digest != shipped


def test_an_operators_folder_may_hold_one_site_only(tmp_path: Path) -> None:
    text = (assets.root() / "mappings/sites/generic.yaml").read_text(encoding="utf-8")
    written(tmp_path, text.replace("site: generic", "site: mine"), "mappings/sites/mine.yaml")
    assert set(assets.load_rulebook(tmp_path, trials=["immunosep"]).sites) >= {"mine", "generic"}


def test_a_trials_folder_is_called_as_its_trial(tmp_path: Path) -> None:
    text = (assets.root() / "profiles/immunosep/trial.yaml").read_text(encoding="utf-8")
    written(tmp_path, text, "profiles/mine/trial.yaml")
    with pytest.raises(
        ConfigError, match=r"trial\.yaml:\d+: .*called 'immunosep' but its folder 'mine' — make them the same"
    ):
        assets.load_rulebook(tmp_path, trials=["mine"])


def test_a_site_file_is_called_as_its_site(tmp_path: Path) -> None:
    text = (assets.root() / "mappings/sites/generic.yaml").read_text(encoding="utf-8")
    written(tmp_path, text, "mappings/sites/mine.yaml")
    with pytest.raises(ConfigError, match=r"mine\.yaml:2: .*make them the same"):
        assets.load_rulebook(tmp_path, trials=[])


def test_an_unknown_trial_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'immunosep'"):
        assets.load_rulebook(None, trials=["imunosep"])


def test_scalars_are_read_as_json_has_them(tmp_path: Path) -> None:
    document = assets.load_document(
        written(tmp_path, "a: NO\nb: 12:30\nc: 2026-01-01\nd: 0.4\ne: true\nf: 7\ng: ~\nh:\n")
    )
    assert document.data == {
        "a": "NO",
        "b": "12:30",
        "c": "2026-01-01",
        "d": 0.4,
        "e": True,
        "f": 7,
        "g": None,
        "h": None,
    }


def test_every_key_knows_its_line(tmp_path: Path) -> None:
    document = assets.load_document(written(tmp_path, "a:\n  b:\n    - 1\n    - c: 2\n"))
    assert [document.line(p) for p in (("a",), ("a", "b"), ("a", "b", 1), ("a", "b", 1, "c"))] == [1, 2, 4, 4]
    assert at(document, ("a", "nothing")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", ":2: the key 'a' stands twice"),
        ("a: [1\nb: 2\n", ":2: this is no YAML"),
        ("a: \x01\n", "characters that may not stand"),
        ("a: *nowhere\n", ":1: this is no YAML"),
        ("a: &x [*x]\n", "holds itself"),
        ("? [1]\n: 2\n", "this is no YAML"),
        ("a: !!python/object:os.system x\n", ":1: this is no YAML"),
    ],
)
def test_what_is_no_yaml_names_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        assets.load_document(written(tmp_path, text))


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"a: \xff\n")
    for name in ("absent.yaml", "b.yaml"):
        with pytest.raises(ConfigError, match="cannot be read"):
            assets.load_document(tmp_path / name)
    with pytest.raises(ConfigError, match="no such folder"):
        assets.load_rulebook(tmp_path / "nowhere", trials=[])
