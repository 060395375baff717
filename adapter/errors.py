"""The four ways to fail; each class says what the caller does next.

AdapterError
├── ConfigError             the operator's files are wrong       → refuse to start, exit 2
├── MalformedMessageError   these bytes will never parse         → quarantine, never retry
├── UnavailableError        a peer or the disk is not there now  → retry with back-off (no ACK on the wire)
└── RejectedError           a peer understood and said no        → dead letter, tell a human

Texts follow `<what happened> (<where>) — <what to do next>` and never hold patient data.
"""

import traceback
from pathlib import Path

OURS = Path(__file__).parent


class AdapterError(Exception):
    """Root of everything this program raises on purpose."""


class ConfigError(AdapterError):
    """The operator's files are wrong: refuse to start."""


class MalformedMessageError(AdapterError):
    """These bytes will never parse: quarantine, never retry.

    `code` is the catalogue's reason (`NO_MSH`, `DELIMS`, …).
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class UnavailableError(AdapterError):
    """A peer or the disk is not there now: retry later.

    `retry_after` is the peer's own wish in seconds, where it gave one.
    """

    def __init__(self, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class StorageFailedError(UnavailableError):
    """The disk failed to write or to flush: stop acknowledging, exit, let the supervisor restart us."""


class RejectedError(AdapterError):
    """A peer understood and said no: dead letter, tell a human."""


def place(error: BaseException) -> str:
    """`file:line` of the innermost frame of ours, else of any: what we asked of a library says more than where it refused."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(OURS)]
    innermost = (ours or frames)[-1:]
    return "".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in innermost)
