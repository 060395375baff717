"""`adapter` with every logger wide open, and faults to order whose exceptions carry the patient in their words.

A message that holds MAPPER-FAULT, DOOR-FAULT or STORE-FAULT breaks the mapper, the door or the store; a file `page` or
`death` in the folder CANARY_FAULTS breaks the candidate's page or the processor, with what stands in it.
"""

import logging
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy.exc import IntegrityError

from adapter import telemetry
from adapter.cli import main
from adapter.daemon import service
from adapter.pipeline import ahead, process
from adapter.sources import connection
from adapter.store import inbox_put
from adapter.web import sheet

FAULTS = Path(os.environ["CANARY_FAULTS"])

configure, interpret, kept, row = telemetry.configure_log, ahead.interpret, connection.kept, inbox_put._row
step, page = process.Processor.step, sheet.sheet


def loudly(**_: object) -> None:
    configure(level=logging.DEBUG)
    logging.root.setLevel(logging.DEBUG)
    logging.getLogger("somebody.elses").debug("a library speaks")


def broken_mapper(message: Any, *args: Any, **more: Any) -> Any:
    if b"MAPPER-FAULT" in message.body:
        raise ValueError(message.body.decode())
    return interpret(message, *args, **more)


def broken_door(door: Any, event: Any, peer: str) -> Any:
    if b"DOOR-FAULT" in getattr(event, "payload", b""):
        raise KeyError(event.payload.decode())
    return kept(door, event, peer)


def broken_store(message: Any) -> Any:
    if b"STORE-FAULT" in message.body:
        raise IntegrityError("INSERT", (message.body,), sqlite3.IntegrityError(message.body.decode()))
    return row(message)


def ordered(name: str) -> None:
    if (FAULTS / name).exists():
        raise RuntimeError((FAULTS / name).read_text())


def broken_page(*args: Any) -> Any:
    ordered("page")
    return page(*args)


def broken_step(self: process.Processor) -> int:
    ordered("death")
    return step(self)


if __name__ == "__main__":
    service.telemetry.configure_log = loudly
    ahead.interpret, connection.kept, inbox_put._row = broken_mapper, broken_door, broken_store
    sheet.sheet, process.Processor.step = broken_page, broken_step
    main()
