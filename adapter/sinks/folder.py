"""Writes bundles to a folder: pilots and dry runs."""

import asyncio
import os
import re
from pathlib import Path

from adapter import flushed
from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError

_KEY = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)


class FolderSink:
    """A Sink: one file a delivery, named by its key, complete or absent; the same delivery again writes it again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        if not _KEY.fullmatch(delivery.key):
            raise RejectedError("the delivery's key is no file name — this is a bug of ours, report it")
        try:
            await asyncio.to_thread(self._write, delivery)
        except OSError as error:
            raise UnavailableError(
                f"cannot write to the folder ({type(error).__name__}) — check space and rights"
            ) from None
        return None

    def _write(self, delivery: Delivery) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{delivery.key}.json"
        part = path.with_suffix(".part")
        flushed.write(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), delivery.payload.encode())
        part.replace(path)
        flushed.flush_folder(self._folder)
