"""Backups encrypted to public keys, by age (age-encryption.org): who holds none of the private keys reads nothing."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from adapter.errors import ConfigError, UnavailableError
from adapter.store.backup import BrokenOffError, Going

if TYPE_CHECKING:
    from io import BufferedReader

INSTALL = "encryption needs its library — pip install 'immunosep-adapter[age]'"

ANOTHER_KEY = "No matching keys"
"""What the library says where none of the keys is one that it was encrypted to."""


class NotOpenedError(ConfigError):
    """The key or the library is not there: that says nothing of what is encrypted."""


def recipients(keys: Sequence[str]) -> list[Any]:
    """Raises ConfigError for a key that is none, or where the library is absent."""
    _needed()
    from pyrage import RecipientError, x25519

    try:
        return [x25519.Recipient.from_str(key) for key in keys]
    except RecipientError:
        raise ConfigError("[backup] recipient: no public key of age — copy the line that age-keygen printed") from None


def seal(plain: Path, sealed: Path, keys: Sequence[str], going: Going) -> None:
    """Raises OSError, BrokenOffError. Read through Python, so that other threads are not kept waiting for a whole file."""
    to = recipients(keys)
    from pyrage import EncryptError, encrypt_io

    try:
        with plain.open("rb") as source, _private(sealed) as target:
            encrypt_io(_Watched(source, going), target, to)
    except (OSError, EncryptError) as error:
        if not going():
            raise BrokenOffError("broken off") from None
        if isinstance(error, OSError):
            raise
        raise UnavailableError("the backup could not be encrypted — look at the disks of both folders") from None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file of private keys, read: a pipe gives its own once."""

    path: Path
    keys: Sequence[Any] = field(repr=False)


def unseal(sealed: Path, plain: Path, given: Opened | None, going: Going) -> None:
    """Raises ConfigError (NotOpenedError) for a private key that is absent or another one, or a file that was changed;
    BrokenOffError.
    """
    if given is None:
        raise wants_key(sealed)
    from pyrage import DecryptError, decrypt_io

    identity, keys = given.path, given.keys
    try:
        with sealed.open("rb") as source, _private(plain) as target:
            decrypt_io(_Watched(source, going), target, keys)
    except DecryptError as error:
        if ANOTHER_KEY not in str(error):
            raise ConfigError(f"{sealed.name} was changed: it does not decrypt — take another backup") from None
        text = f"{identity}: none of its keys opens {sealed.name} — give the one it was made for"
        raise NotOpenedError(text) from None
    except OSError as error:
        if not going():
            raise BrokenOffError("broken off") from None
        if error.errno is not None:
            raise
        raise ConfigError(f"{sealed.name} was changed or cut off: it does not decrypt — take another backup") from None


def wants_key(sealed: Path) -> NotOpenedError:
    return NotOpenedError(f"{sealed.name} is encrypted — give the private key: --identity FILE (as age-keygen made it)")


def identities(path: Path) -> Opened:
    """Raises NotOpenedError."""
    _needed()
    from pyrage import IdentityError, x25519

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return Opened(path, [x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")])
    except (OSError, UnicodeDecodeError, IdentityError):
        raise NotOpenedError(f"{path}: is no file with a private key of age that we may read") from None


def _needed() -> None:
    if find_spec("pyrage") is None:
        raise NotOpenedError(INSTALL)


def _private(path: Path) -> BinaryIO:
    """A new file, for its owner alone."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")


class _Watched:
    """A file whose every read passes through the interpreter, and asks whether to go on."""

    def __init__(self, file: "BufferedReader", going: Going) -> None:
        self._file, self._going = file, going

    def read(self, size: int = -1) -> bytes:
        if not self._going():
            raise OSError(errno.ECANCELED, "broken off")  # never EINTR: that is asked again, for ever
        return self._file.read(size)
