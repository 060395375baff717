"""Delivers snapshots to a REDCap project by its record API; what people wrote there stays."""

import asyncio
import json
import threading
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from typing import Any

import requests

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError
from adapter.fhir.flat import Flat, flat
from adapter.pipeline.exchange import PAUSE, Limits, checked_url, exchange, session
from adapter.pipeline.retry import retry_after
from adapter.ports import Clock
from adapter.sinks.redcap_fields import FieldFile, missing
from adapter.sinks.redcap_reply import RefusedError, read, rows, written
from adapter.sinks.redcap_rows import INSTANCE, INSTRUMENT, news

REQUESTS = 6
"""The most that one delivery asks: what the project is (twice two), what it holds, and the import."""
GROUP, EVENT = "redcap_data_access_group", "redcap_event_name"


@dataclass(frozen=True, slots=True)
class Project:
    """A REDCap project and who we are there. `event` is of a longitudinal one; new records go to the access group."""

    url: str
    token: str = field(repr=False)
    fields: FieldFile
    zone: tzinfo
    event: str = ""
    group: str = ""
    verify: str = ""
    limits: Limits = field(default_factory=Limits)


class Redcap:
    """A Sink. One request at a time: nothing in REDCap guards what is read against what is written after it.

    Raises ConfigError for an address that is no https URL (http only on this machine).
    """

    def __init__(self, project: Project, clock: Clock) -> None:
        checked_url(project.url)
        self._project, self._clock = project, clock
        self._session = session()
        self._session.verify = project.verify or True
        self._busy = threading.Lock()
        self._fits = False

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """The record that REDCap now holds. Raises UnavailableError or RejectedError."""
        try:
            async with asyncio.timeout(self._project.limits.total * REQUESTS):
                return await asyncio.to_thread(self._alone, delivery)
        except TimeoutError:
            raise UnavailableError("REDCap does not answer in time — tried again") from None

    def _alone(self, delivery: Delivery) -> RemoteResource:
        if not self._busy.acquire(blocking=False):
            raise UnavailableError("the request before is still hanging at REDCap — tried again")
        try:
            return self._deliver(snapshot(delivery.payload), delivery.remote)
        finally:
            self._busy.release()

    def _deliver(self, told: Flat, remote: RemoteResource | None) -> RemoteResource:
        self.look()
        held = self._held(told.number)
        if remote is not None and not held:
            raise RejectedError(
                "REDCap no longer holds this record — ask there; it is filled again once somebody makes it"
            )
        changed = news(told, self._project.fields, held, self._project.zone)
        if changed:
            self._import(told.number, self._placed(changed, new=not held))
        return RemoteResource(told.number, "")

    def look(self) -> None:
        """Whether the project has our fields: asked once, and again when it refuses. Nothing is lost while a person mends it.

        Raises UnavailableError or RejectedError.
        """
        if self._fits:
            return
        fields = self._project.fields
        lacking = [*missing(fields, rows(self._ask("metadata")))]
        if not lacking:
            repeated = self._repeated()
            lacking = [
                f"{form.name} as repeating" for form in fields.forms if form.repeats and form.name not in repeated
            ]
        if lacking:
            raise UnavailableError(
                f"the REDCap project lacks {', '.join(lacking[:5])} — set it up by docs/edc-others.md",
                retry_after=PAUSE,
            )
        self._fits = True

    def _repeated(self) -> set[str]:
        """REDCap refuses the question where nothing repeats."""
        if not any(form.repeats for form in self._project.fields.forms):
            return set()
        try:
            found = rows(self._ask("repeatingFormsEvents"))
        except RefusedError:
            return set()
        event = self._project.event
        return {row.get("form_name", "") for row in found if not event or row.get("event_name") == event}

    def _held(self, number: str) -> list[dict[str, str]]:
        events = {"events[0]": self._project.event} if self._project.event else {}
        body = self._ask(
            "record", {"action": "export", "type": "flat", "rawOrLabel": "raw", "records[0]": number} | events
        )
        return [row for row in rows(body) if row.get(self._project.fields.record_id) == number]

    def _placed(self, changed: list[dict[str, str]], *, new: bool) -> list[dict[str, str]]:
        project = self._project
        if project.event:
            changed = [row | {EVENT: project.event} for row in changed]
        if project.group and new:
            changed = [changed[0] | {GROUP: project.group}, *changed[1:]]
        return changed

    def _import(self, number: str, changed: list[dict[str, str]]) -> None:
        """Empty values are written only where something is taken back; fields that no row names are left alone."""
        emptied = any(not value for row in changed for name, value in row.items() if name not in (INSTRUMENT, INSTANCE))
        wanted = {
            "action": "import",
            "type": "flat",
            "overwriteBehavior": "overwrite" if emptied else "normal",
            "forceAutoNumber": "false",
            "dateFormat": "YMD",
            "returnContent": "ids",
            "data": json.dumps(changed, ensure_ascii=False, separators=(",", ":")),
        }
        try:
            body = self._ask("record", wanted)
        except RefusedError:
            self._fits = False
            self.look()
            raise
        written(body, number)

    def _ask(self, content: str, wanted: dict[str, str] | None = None) -> Any:
        """Everything goes in the body: neither the token nor a number stands in an address."""
        project = self._project
        form = {"token": project.token, "content": content, "format": "json", "returnFormat": "json"} | (wanted or {})
        answer = exchange(self._session, requests.Request("POST", project.url, data=form), project.limits)
        return read(answer, project.fields.names(), retry_after(answer.headers.get("Retry-After"), self._clock()))


def snapshot(payload: str) -> Flat:
    """Raises RejectedError for a payload that is none of ours."""
    try:
        return flat(json.loads(payload, parse_float=Decimal))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RejectedError("the payload is no snapshot of a subject — this is a bug of ours, report it") from None
