"""The stage of the demonstration: ports, settings, folder, and the stand-ins."""

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from adapter import telemetry
from adapter.errors import UnavailableError
from adapter.settings import Settings
from adapter.standins.edc import create_edc
from adapter.standins.edc_store import EdcStore
from adapter.standins.mailbox import Mailbox, catcher

HOST = "127.0.0.1"
TRIAL = "immunosep-demo"
SITES = ("attikon", "generic")
"""Each has its own port: the wish, and the next."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for; `seconds` None runs until interrupted."""

    speed: float = 1.0
    mllp_port: int = 2575
    web_port: int = 8080
    folder: Path | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ports:
    mllp: tuple[int, ...]
    web: int
    edc: int
    smtp: int


@contextlib.contextmanager
def folder_for(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="adapter-demo-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextlib.contextmanager
def log_to(folder: Path) -> Iterator[None]:
    """The log goes to a file: the terminal is for the story."""
    with (folder / "adapter.log").open("a", encoding="utf-8") as stream:
        telemetry.configure_log(stream)
        yield


# --- ports and settings ----------------------------------------------------------------------------------------------


def ports_for(wish: Wish) -> Ports:
    """The ones asked for, or free ones where they are taken."""
    with contextlib.ExitStack() as taken:
        first = wish.mllp_port
        mllp = tuple(_port(first + number if first else 0, taken) for number in range(len(SITES)))
        return Ports(mllp, _port(wish.web_port, taken), _port(0, taken), _port(0, taken))


def _port(wanted: int, taken: contextlib.ExitStack) -> int:
    """Held until all are chosen, so that none is chosen twice."""
    for port in (wanted, 0):
        made = taken.enter_context(socket.socket())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError, OverflowError):
            made.bind((HOST, port))
            return int(made.getsockname()[1])
    raise UnavailableError("no free port on this machine — close something and try again")


def settings_for(folder: Path, ports: Ports) -> Settings:
    """Synthetic patients: so the EDC is told at the flag, with true dates."""
    return Settings.model_validate(
        {
            "adapter": {"data": folder, "trials": [TRIAL], "environment": "test"},
            "store": {"ballast_mib": 0},
            "source": [
                {"kind": "mllp", "name": site, "site": site, "listen": f"{HOST}:{port}"}
                for site, port in zip(SITES, ports.mllp, strict=True)
            ],
            "sink": [
                {
                    "kind": "fhir",
                    "name": "edc",
                    "base": f"http://{HOST}:{ports.edc}",
                    "push_when": "candidate",
                    "dates": "exact",
                }
            ],
            "notifier": [
                {
                    "kind": "email",
                    "name": "mail",
                    "host": HOST,
                    "port": ports.smtp,
                    "sender": "adapter@example.org",
                    "to": ["coordinator@example.org"],
                    "encryption": "none",
                }
            ],
            "web": {"listen": f"{HOST}:{ports.web}"},
        }
    )


# --- the stand-ins ---------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def edc_at(store: EdcStore, port: int) -> Iterator[None]:
    """In a thread of its own, as a real one is on a machine of its own."""
    config = uvicorn.Config(create_edc(store), host=HOST, port=port, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="edc", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def mail_at(mailbox: Mailbox, port: int) -> Iterator[None]:
    controller = catcher(mailbox, port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()
