"""Why a message was not used, in words: each reason code with what it means and what to do."""

REASONS = {
    "NO_MSH": "this is no HL7 v2 message: MSH does not come first — ask the sender for whole messages",
    "XML": "this is HL7 in XML — ask the sender for HL7 v2 with bars and hats (ER7)",
    "DELIMS": "MSH-1 and MSH-2 are not five or six different marks — ask the sender to mend them",
    "CHARSET": "the header's or the patient number's bytes cannot be trusted — compare MSH-18 and the site's encoding",
    "HDR": "MSH-9 says nothing of the message's type — ask the sender to fill it in",
    "PROCID": "MSH-11 says test: a production source stores it and applies nothing — read it here with --test",
    "STRUCT": "the name of a segment is damaged — ask the sender to send the message again",
    "CONTINUATION": "the message is one part of several (DSC, ADD, MSH-14) — ask the sender for whole messages",
    "BAD_MRN": "the patient's number is no plain text of at most 64 characters — ask the sender",
    "JSON": "this is no sound JSON, or holds what FHIR's JSON may not — ask who keeps the server",
    "NO_FHIR": "this is no FHIR resource, nor a Bundle that holds any — look at the server's address",
    "nothing-for-us": "no resource in it is of a type that is read (docs/fhir-in.md): it is kept, and nothing follows",
    "FRAME_TRUNC": "its frame never ended, so the message is cut off — take it from its source again",
    "TOO_BIG": "it is longer than any real message, and only its beginning was looked at — leave it out",
    "unsupported-type": "this type is not needed: results come by ORU and OUL, movements by ADT, drugs by RAS, problems by PPR",
    "order-only": "an order is no result: it is kept, and nothing follows from it",
    **dict.fromkeys(
        (
            "tracking",
            "pending",
            "number-only",
            "other-identifier",
            "staff",
            "query",
            "bed-status",
            "archived",
        ),
        "this movement changes nothing that is screened (docs/adt.md): it is kept, and nothing follows from it",
    ),
    "link-is-no-merge": "a link (A24) does not say that two records are one person: only a merge (A40) joins them",
    "allergy-only": "no criterion asks for allergies: it is kept, and nothing follows from it",
    "canary-passed": "the adapter told itself of two patients who were made up, and found what had to be found",
    "canary-missed": "patients who were made up were not found as expected: real ones may be missed — docs/runbooks.md, RB16",
    "document": "a document's text is kept and not understood — ask the sender for results as ORU",
}
"""Reason of a disposition → what it means and what to do; a reason that comes with a finding of its own is not here."""

STORED = REASONS | {
    "PROCID": "MSH-11 says test: a production source applies nothing of it — discard it, or mend the sender's MSH-11",
    "NO_PATIENT": "PID-3 names no patient — ask the sender to fill it in",
    "NO_MRN": "PID-3 has no number by this site's rule — compare it with 'patient_identifier' in the site's file",
    "LIMIT": "the message has more parts or a longer number than any real one — look at it, then ask the sender",
    "DUP_PID": "a movement names two patients (two PID) — ask the sender for one message a patient",
    "NO_MRG": "a merge or move does not say whose record or visit goes (MRG-1; MRG-3, MRG-5) — ask the sender to fill it in",
    "PARTICIPANT": "it makes somebody who takes part one with a person who wants no part — ask sponsor and data protection officer: "
    "`adapter erase --enrolled --opt-out` for the one, or `--opt-in` for the other, then release it",
    "SHARED_NUMBER": "one of its numbers is left out, and stands in messages of others too — `adapter erase --opt-out` with the number "
    "this site keeps the person by, or `--opt-in` for the one that is left out, then release it",
    "LEFT_OUT": "it makes somebody one with a person who wants no part, and only a replay could read it — release it: then they are "
    "taken out, too",
    "NO_PAIR": "an unlink (A37) does not name two patients (two PID) — ask the sender",
    "SITE": "its site is not configured any more — mend [[source]] site, restart, then release it",
    "SENDER": "MSH-3 and MSH-4 name nobody this source expects — add them to its 'senders' if they belong here, then release it",
    "FRAME_TRUNC": "the connection or the file ended inside the message — the sender should have sent it again",
    "TOO_BIG": "the message was longer than this source allows, and only its beginning is kept — raise max_bytes",
    "BAD_ACTION": "an act on the worklist could not be read — do it again on the candidate's page",
    "FHIR_PAGE": "the server's answer is no page of a FHIR search — look at its address, then ask who keeps it",
    "DUPKEY": "a name stands twice in one object of a resource, so nobody can say what it means — ask who keeps the server",
    "MODIFIER": "a resource holds an extension that may negate its meaning — look at it, then ask who keeps the server",
    "BAD_RESULT": "a result entered by hand could not be used — enter it again on the candidate's page",
}
"""As `REASONS`, for a message that lies in the store: whoever settles it sees the code alone."""

INTERNAL = "INTERNAL "
FAILED = "the adapter itself failed on it three times — report it, update, then release it"


def explained(reason: str) -> str:
    """The words for the reason of a stored message; of a batch, those of each reason. Empty for one unknown here."""
    if reason.startswith(INTERNAL):
        return FAILED
    return "; ".join(STORED[code] for code in reason.split(", ") if code in STORED)
