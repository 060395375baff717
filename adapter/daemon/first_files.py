"""`adapter init`: the files of a new installation, to be filled in; nothing that exists is overwritten."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from adapter.daemon.lock import data_folder
from adapter.errors import ConfigError

TEMPLATES = files("adapter.daemon") / "templates"
EXAMPLE_DATA = "/var/lib/adapter"
EXAMPLE_ASSETS = '# assets = "/etc/adapter" '
SITE = "my-hospital"


def write_first_files(folder: Path) -> Iterator[Path]:
    """The files written, in order. Raises ConfigError when the folder cannot be used or one of the files is there."""
    folder = folder.absolute()
    texts = {
        folder / "adapter.toml": configuration(folder),
        folder / "mappings" / "sites" / f"{SITE}.yaml": (TEMPLATES / "site.example.yaml").read_text(encoding="utf-8"),
    }
    for path in texts:
        if path.exists():
            raise ConfigError(f"{path} is there already — choose another folder, or move it away")
    data_folder(folder / "data")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        yield path


def configuration(folder: Path) -> str:
    """The example with this folder's data and site file in it."""
    text = (TEMPLATES / "adapter.example.toml").read_text(encoding="utf-8")
    text = text.replace(f'"{EXAMPLE_DATA}"', f'"{folder / "data"}"')
    return text.replace(EXAMPLE_ASSETS, f'assets = "{folder}" ')
