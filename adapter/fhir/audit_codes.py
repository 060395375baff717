"""What each action of the audit log is in the codes of DICOM (PS3.16, CID 400 to 403) and of IHE BALP: the closed list of actions."""

from dataclasses import dataclass

DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."

Coded = tuple[str, str, str]
"""System, code, display."""

REST: Coded = (EVENT_TYPE, "rest", "RESTful Operation")
ACTIVITY: Coded = (DCM, "110100", "Application Activity")
LOG_USED: Coded = (DCM, "110101", "Audit Log Used")
EXPORTED: Coded = (DCM, "110106", "Export")
ALERT: Coded = (DCM, "110113", "Security Alert")
USER: Coded = (DCM, "110114", "User Authentication")
STARTED: Coded = (DCM, "110120", "Application Start")
STOPPED: Coded = (DCM, "110121", "Application Stop")
LOGIN: Coded = (DCM, "110122", "Login")
LOGOUT: Coded = (DCM, "110123", "Logout")
NODE: Coded = (DCM, "110126", "Node Authentication")
OVERRIDE: Coded = (DCM, "110127", "Emergency Override Started")
OVERRIDE_ENDED: Coded = (DCM, "110138", "Emergency Override Stopped")
SOFTWARE: Coded = (DCM, "110131", "Software Configuration")
RESTRICTED: Coded = (DCM, "110132", "Use of Restricted Function")
ROLES: Coded = (DCM, "110136", "Security Roles Changed")
USERS: Coded = (DCM, "110137", "User Security Attributes Changed")
DISCLOSED: Coded = (LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")


@dataclass(frozen=True, slots=True)
class Kind:
    """`action` is C, R, U, D or E; `profile` the BALP profile that an entry of somebody who succeeded follows, if any."""

    type: Coded
    subtype: Coded | None
    action: str
    profile: str = ""


def _rest(interaction: str, action: str, profile: str) -> Kind:
    return Kind(REST, (INTERACTION, interaction, interaction), action, profile)


READ, READ_OF_PATIENT = _rest("read", "R", "Read"), _rest("read", "R", "PatientRead")
QUERY, QUERY_OF_PATIENT = _rest("search", "E", "Query"), _rest("search", "E", "PatientQuery")
CREATE_OF_PATIENT, UPDATE_OF_PATIENT = _rest("create", "C", "PatientCreate"), _rest("update", "U", "PatientUpdate")
UPDATE = _rest("update", "U", "Update")
EXPORT = Kind(EXPORTED, None, "R")
DISCLOSURE = Kind(EXPORTED, DISCLOSED, "R", "PrivacyDisclosure.Source")
OTHER = Kind(ACTIVITY, None, "E")

KINDS: dict[str, Kind] = {
    **dict.fromkeys(("sign-in", "sign-in-again", "second-step"), Kind(USER, LOGIN, "E")),
    **dict.fromkeys(("sign-out", "session-timeout", "session-ended"), Kind(USER, LOGOUT, "E")),
    **dict.fromkeys(("second-step-set", "recovery-codes-made", "recovery-code-used"), Kind(ALERT, USERS, "U")),
    **dict.fromkeys(("user-add", "user-invite", "user-disable"), Kind(ALERT, USERS, "U")),
    **dict.fromkeys(("user-reset-second-step", "password-set"), Kind(ALERT, USERS, "U")),
    **dict.fromkeys(("user-role", "role-change"), Kind(ALERT, ROLES, "U")),
    "refused": Kind(ALERT, RESTRICTED, "E"),
    "view-candidate": READ_OF_PATIENT,
    "explain": QUERY_OF_PATIENT,
    **dict.fromkeys(("view-worklist", "view-log", "view-screened", "view-quarantine"), QUERY),
    "view-break-glass": Kind(LOG_USED, None, "R"),
    **dict.fromkeys(("view-trail", "audit-verify", "audit-export"), Kind(LOG_USED, None, "R")),
    "export-log": EXPORT,
    **dict.fromkeys(("determination", "status", "result", "report-missed"), UPDATE_OF_PATIENT),
    **dict.fromkeys(("onset", "screening-id", "same-person"), UPDATE_OF_PATIENT),
    **dict.fromkeys(("identity-propose", "identity-approve", "identity-send-back"), UPDATE_OF_PATIENT),
    **dict.fromkeys(("claim", "release", "hand-over", "note"), UPDATE_OF_PATIENT),
    "seen": OTHER,
    **dict.fromkeys(("break-glass-ask", "break-glass-give"), Kind(ALERT, OVERRIDE, "E")),
    "break-glass-end": Kind(ALERT, OVERRIDE_ENDED, "E"),
    **dict.fromkeys(("inbox-show", "quarantine-show"), READ),
    **dict.fromkeys(("quarantine-release", "quarantine-discard"), UPDATE),
    **dict.fromkeys(("mapping-propose", "mapping-decline", "mapping-add", "mapping-again"), Kind(ALERT, SOFTWARE, "U")),
    **dict.fromkeys(("config-changed", "rules-changed", "migration", "replay"), Kind(ALERT, SOFTWARE, "U")),
    "alert-raised": CREATE_OF_PATIENT,
    **dict.fromkeys(("alert-updated", "alert-withdrawn", "identity-conflict"), UPDATE_OF_PATIENT),
    **dict.fromkeys(("records-tied", "test-alert", "clock-step", "self-check"), OTHER),
    **dict.fromkeys(("alert-sent", "alert-failed", "alert-escalated"), OTHER),
    **dict.fromkeys(("push-sent", "push-refused"), DISCLOSURE),
    "opt-in": UPDATE,
    "backup": EXPORT,
    **dict.fromkeys(("restore", "restore-tested", "restore-release"), Kind(ALERT, RESTRICTED, "E")),
    "erase": Kind(ALERT, (LIFECYCLE, "destroy", "Destroy/Delete Record Lifecycle Event"), "D"),
    **dict.fromkeys(("shadow-begun", "shadow-ended"), Kind(ALERT, SOFTWARE, "U")),
    "connection-refused": Kind(ALERT, NODE, "E"),
    **dict.fromkeys(("daemon-start", "daemon-recovered"), Kind(ACTIVITY, STARTED, "E")),
    "daemon-stop": Kind(ACTIVITY, STOPPED, "E"),
}
"""By action; docs/audit.md says when each is written, and a test holds the two and the code together."""
