"""Delivers bundles to an EDC by FHIR R4 over HTTP; the machine creates, people change (decisions E2)."""

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote

import requests

from adapter.domain.message import Delivery, RemoteResource
from adapter.errors import RejectedError, UnavailableError
from adapter.pipeline.authorize import Authorization, Fixed
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
from adapter.sinks.edc_check import about, has_more, lost, of_kind, questions, tagged
from adapter.sinks.edc_reply import CONFLICT, FAILED, ConflictError, Done, located, read_reply, version_of
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

Found = TypeVar("Found")
FHIR_JSON = "application/fhir+json"
ROUNDS = 3
"""Re-reads of a ResearchSubject that others keep writing, before the delivery waits its turn again."""
UNAUTHORIZED, NOT_FOUND, GONE = 401, 404, 410


@dataclass(frozen=True, slots=True)
class Edc:
    """Where the EDC is, and who we are there: by `authorization`, and by the TLS files of `peer`. `manner` holds
    whatever the EDC says of itself; `reconcile`: how often it is asked whether it still has everything.
    """

    base: str
    authorization: Authorization = field(default_factory=Fixed)
    peer: requests.Session = field(default_factory=session, repr=False)
    limits: Limits = field(default_factory=Limits)
    manner: Manner | None = None
    reconcile: timedelta = timedelta(hours=24)


class EdcFhir:
    """A Sink. One request at a time: requests of one subject must not overtake each other.

    Raises ConfigError for a base that is no https URL (http only on this machine).
    """

    def __init__(self, edc: Edc, clock: Clock) -> None:
        self._base = checked_url(edc.base)
        self._limits, self._clock, self._manner = edc.limits, clock, edc.manner
        self.reconcile = edc.reconcile
        self._session, self._authorization = edc.peer, edc.authorization
        self._session.headers.update({"Accept": FHIR_JSON, "Content-Type": FHIR_JSON})
        self._busy = threading.Lock()
        self._abilities: Abilities | None = None

    async def deliver(self, delivery: Delivery) -> RemoteResource | None:
        """What the EDC now holds of the subject. Raises UnavailableError or RejectedError."""
        bundle: Json = json.loads(delivery.payload)
        # A statement, and in each round a read, a search and as many posts as there are entries, where there is no transaction.
        most = 1 + ROUNDS * (2 + len(bundle["entry"]))
        return await self._in_time(most, lambda: self._deliver(bundle, delivery.remote))

    async def lost(self, sent: Sequence[Delivery]) -> Sequence[int]:
        """Asked by searches whose words are in no URL (edc 5.5.9). Raises UnavailableError or RejectedError.

        Where its pages are shorter than the question, of half as many at a time: what stands behind a page is not lost.
        """
        found = await self._in_time(3, lambda: self._lost(sent))
        if found is not None:
            return found
        half = len(sent) // 2
        return [*await self.lost(sent[:half]), *await self.lost(sent[half:])]

    async def _in_time(self, requests_at_most: int, work: Callable[[], Found]) -> Found:
        """The thread has its own deadlines; this one is for a peer that drips its headers."""
        try:
            async with asyncio.timeout(self._limits.total * requests_at_most):
                return await asyncio.to_thread(self._alone, work)
        except TimeoutError:
            raise UnavailableError("the EDC does not answer in time — tried again") from None

    def _alone(self, work: Callable[[], Found]) -> Found:
        if not self._busy.acquire(blocking=False):
            raise UnavailableError("the request before is still hanging at the EDC — tried again")
        try:
            return work()
        finally:
            self._busy.release()

    def _lost(self, sent: Sequence[Delivery]) -> list[int] | None:
        """None where it has more to say of several than it says."""
        asked = questions(sent)
        pages = {kind: self._search(kind, asked[kind], len(sent)) for kind in asked}
        if len(sent) > 1 and any(has_more(page) for page in pages.values()):
            return None
        found = {kind: of_kind(kind, page) for kind, page in pages.items()}
        subjects, keeps = found["ResearchSubject"], tagged(found["Provenance"])
        if subjects and not keeps:
            keeps = tagged(of_kind("Provenance", self._search("Provenance", about(subjects), len(sent))))
        return lost(sent, found, keeps_tags=keeps)

    def _search(self, kind: str, question: str, number: int) -> Json:
        form = f"{quote(question, safe='=')}&_count={2 * number}"
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-cache"}
        request = requests.Request("POST", f"{self._base}/{kind}/_search", data=form, headers=headers)
        answer = self._exchange(request)
        page = read_json(answer)
        if answer.status >= FAILED:
            refuse(answer.status, f"the EDC{outcome_codes(page)}, asked what it holds,", wish=self._wish(answer))
        if page is None or page.get("type") != "searchset":
            raise UnavailableError("the EDC's answer to a search is no searchset — asked again")
        return page

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
            if held or done.created:
                return remote
            remote = remote or self._found(ours)
            if self._is_ours(ours, remote):
                return remote
            # It was there before, and other than we say it: somebody else's entry. Update what is ours in it.
        raise _never_ending(versions)

    def _found(self, ours: Json) -> RemoteResource:
        """Where the subject stands, at an EDC that answers without saying so: else it would never hear of a change."""
        number = ours["identifier"][0]
        page = self._search("ResearchSubject", f"identifier={number['system']}|{number['value']}", 1)
        subjects = [one for one in of_kind("ResearchSubject", page) if same_subject(one, ours)]
        if len(subjects) > 1:
            raise RejectedError(
                "the EDC holds more than one subject of this screening number — merge them there, send again"
            )
        places = [located({"location": f"ResearchSubject/{one.get('id')}"}, "ResearchSubject") for one in subjects]
        for place in filter(None, places):
            return place
        raise UnavailableError(
            "the EDC does not say where it put the subject: its answer has no location — tried again"
        )

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
        return self._exchange(request)

    def _exchange(self, request: requests.Request) -> Answer:
        """With one new token where the old one was refused (edc 5.5.6)."""
        answer = self._as_us(request)
        if answer.status == UNAUTHORIZED and self._authorization.renew():
            answer = self._as_us(request)
        return answer

    def _as_us(self, request: requests.Request) -> Answer:
        said = self._authorization.header()
        request.headers = dict(request.headers) | ({"Authorization": said} if said else {})
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
