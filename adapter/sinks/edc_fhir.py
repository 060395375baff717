"""Delivers bundles to an EDC by FHIR R4 over HTTP; the machine creates, people change (decisions E2)."""

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.exchange import (
    Answer,
    Json,
    Limits,
    checked_url,
    exchange,
    outcome_codes,
    read_json,
    refuse,
    session,
)
from adapter.pipeline.retry import retry_after
from adapter.ports import Clock
from adapter.sinks.edc_reply import CONFLICT, FAILED, ConflictError, Done, read_reply, version_of
from adapter.sinks.edc_requests import (
    Abilities,
    Manner,
    abilities,
    adapted,
    same_subject,
    subject_position,
    with_update,
)
from adapter.sinks.edc_waves import TOO_LONG, Waves

FHIR_JSON = "application/fhir+json"
ROUNDS = 3
"""Re-reads of a ResearchSubject that others keep writing, before the delivery waits its turn again."""
NOT_FOUND, GONE = 404, 410


@dataclass(frozen=True, slots=True)
class Edc:
    """Where the EDC is. `authorization` is the whole header value; `verify` a CA file, where it is not a public one;
    `manner` holds whatever the EDC says of itself.
    """

    base: str
    authorization: str = field(default="", repr=False)
    verify: str = ""
    limits: Limits = field(default_factory=Limits)
    manner: Manner | None = None


class EdcFhir:
    """A Sink. One request at a time: requests of one subject must not overtake each other.

    Raises ConfigError for a base that is no https URL (http only on this machine).
    """

    def __init__(self, edc: Edc, clock: Clock) -> None:
        self._base = checked_url(edc.base)
        self._limits, self._clock, self._manner = edc.limits, clock, edc.manner
        self._session = session()
        self._session.headers.update({"Accept": FHIR_JSON, "Content-Type": FHIR_JSON})
        self._session.verify = edc.verify or True
        if edc.authorization:
            self._session.headers["Authorization"] = edc.authorization
        self._busy = threading.Lock()
        self._abilities: Abilities | None = None

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """What the EDC now holds of the subject. Raises UnavailableError or RejectedError."""
        bundle: Json = json.loads(delivery.payload)
        # The thread has its own deadlines; this one is for a peer that drips its headers: a statement, and in each
        # round a read and as many posts as there are entries, where there is no transaction.
        most = 1 + ROUNDS * (1 + len(bundle["entry"]))
        try:
            async with asyncio.timeout(self._limits.total * most):
                return await asyncio.to_thread(self._alone, bundle, delivery.remote)
        except TimeoutError:
            raise UnavailableError("the EDC does not answer in time — tried again") from None

    def _alone(self, bundle: Json, remote: RemoteResource | None) -> RemoteResource | None:
        if not self._busy.acquire(blocking=False):
            raise UnavailableError("the request before is still hanging at the EDC — tried again")
        try:
            return self._deliver(bundle, remote)
        finally:
            self._busy.release()

    def _deliver(self, bundle: Json, remote: RemoteResource | None) -> RemoteResource | None:
        plain = adapted(bundle, self._able().ways)
        position = subject_position(plain)
        ours = plain["entry"][position]["resource"]
        versions: list[str] = []
        for _ in range(ROUNDS):
            held = self._held(ours, remote) if remote else None
            try:
                done = self._post(with_update(plain, position, *held) if held else plain, position)
            except ConflictError as conflict:
                versions.append(_stale_version(conflict, held))
                continue
            remote = done.subject or (held[1] if held else None)
            if held or done.created or remote is None or self._is_ours(ours, remote):
                return remote
            # It was there before, and other than we say it: somebody else's entry. Update what is ours in it.
        raise _never_ending(versions)

    def _is_ours(self, ours: Json, remote: RemoteResource) -> bool:
        """Whether the resource already says what we would write."""
        held = self._held(ours, remote)
        if held is None:
            return False
        wanted = {key: value for key, value in ours.items() if key in ("status", "extension")}
        return all(held[0].get(key) == value for key, value in wanted.items())

    def _held(self, ours: Json, remote: RemoteResource) -> tuple[Json, RemoteResource] | None:
        """The ResearchSubject as the EDC has it now; `None` when it was lost there (an EDC restored from a backup)."""
        answer = self._send("GET", f"/ResearchSubject/{remote.id}")
        if answer.status == NOT_FOUND:
            return None
        body = read_json(answer)
        if answer.status == GONE:
            raise RejectedError("the EDC deleted this subject (HTTP 410) — ask there before sending again")
        if answer.status >= FAILED:
            refuse(answer.status, f"the EDC{outcome_codes(body)}", wish=self._wish(answer))
        if body is None or body.get("resourceType") != "ResearchSubject":
            raise UnavailableError("the EDC's answer is no ResearchSubject — tried again")
        if not same_subject(body, ours):
            raise RejectedError("the EDC's resource now names another screening number — look there before anything")
        version = version_of(answer.headers.get("ETag")) or str(body.get("meta", {}).get("versionId", ""))
        return body, RemoteResource(remote.id, version)

    def _post(self, bundle: Json, position: int) -> Done:
        """Whole where this EDC can, and is not told too much at once."""
        manner = self._manner or self._able().manner
        if manner is Manner.TRANSACTION:
            answer = self._send("POST", "", bundle)
            if answer.status != TOO_LONG:
                return read_reply(answer, entries=len(bundle["entry"]), subject_at=position, wish=self._wish(answer))
        return Waves(self._send, self._wish, batches=manner is Manner.BATCH).deliver(bundle, position)

    def _able(self) -> Abilities:
        """Asked once; an EDC that has no readable statement is taken to accept client ids."""
        if self._abilities is None:
            answer = self._send("GET", "/metadata")
            if answer.status >= FAILED and answer.status != NOT_FOUND:
                refuse(answer.status, "the EDC, asked for its CapabilityStatement,", wish=self._wish(answer))
            self._abilities = abilities(read_json(answer))
        return self._abilities

    def _send(
        self, method: str, path: str, body: Json | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        request = requests.Request(method, self._base + path, data=data, headers=headers)
        return exchange(self._session, request, self._limits)

    def _wish(self, answer: Answer) -> float | None:
        return retry_after(answer.headers.get("Retry-After"), self._clock())


def _stale_version(conflict: ConflictError, held: tuple[Json, RemoteResource] | None) -> str:
    """The version that was refused as stale; a 412 without one means several matches, which nobody may pick from."""
    if held is None and conflict.status != CONFLICT:
        raise RejectedError(
            "the EDC holds more than one subject of this screening number (HTTP 412) — merge them there, send again"
        )
    return held[1].version if held else ""


def _never_ending(versions: list[str]) -> Exception:
    """Others keep writing: later. The same version is refused each time: it is not a race, but a no."""
    if len(set(versions)) > 1:
        return UnavailableError("the EDC's ResearchSubject changes faster than we can read it — tried again")
    return RejectedError("the EDC refuses the transaction as a conflict each time — look for doubled resources there")
