"""The HL7 tables we use, by number, with HL7's own codes."""

from enum import StrEnum
from types import MappingProxyType

NULL = '""'
"""HL7's null: the sender says that there is nothing, where an empty field says nothing."""


class AckCode(StrEnum):
    """Table 0008, acknowledgment code."""

    APPLICATION_ACCEPT = "AA"
    APPLICATION_ERROR = "AE"
    APPLICATION_REJECT = "AR"
    COMMIT_ACCEPT = "CA"
    COMMIT_ERROR = "CE"
    COMMIT_REJECT = "CR"


class AckCondition(StrEnum):
    """Table 0155, accept and application acknowledgment conditions (MSH-15, MSH-16)."""

    ALWAYS = "AL"
    NEVER = "NE"
    ON_ERROR = "ER"
    ON_SUCCESS = "SU"


class ResultStatus(StrEnum):
    """Table 0085, observation result status (OBX-11); spec: decisions C4 says what each means to us."""

    FINAL = "F"
    CORRECTED = "C"
    AMENDED = "A"
    PRELIMINARY = "P"
    NOT_VERIFIED = "R"
    PARTIAL = "S"
    FINAL_WITHOUT_RESEND = "U"
    APPENDED = "B"
    VERIFIED = "V"
    DELETED = "D"
    WRONG = "W"
    CANNOT_BE_OBTAINED = "X"
    PENDING = "I"
    ORDER_DETAIL = "O"
    NOT_ASKED = "N"


class ProcessingId(StrEnum):
    """Table 0103, processing id (MSH-11), and V and N which senders use for verification and non-production."""

    PRODUCTION = "P"
    TRAINING = "T"
    DEBUGGING = "D"
    VERIFICATION = "V"
    NOT_PRODUCTION = "N"


class ErrorCode(StrEnum):
    """Table 0357, message error condition (ERR-3)."""

    SEGMENT_SEQUENCE = "100"
    REQUIRED_FIELD = "101"
    DATA_TYPE = "102"
    TABLE_VALUE = "103"
    UNSUPPORTED_MESSAGE = "200"
    UNSUPPORTED_EVENT = "201"
    UNSUPPORTED_PROCESSING_ID = "202"
    UNSUPPORTED_VERSION = "203"
    UNKNOWN_KEY = "204"
    DUPLICATE_KEY = "205"
    RECORD_LOCKED = "206"
    INTERNAL = "207"


ERROR_TEXTS = MappingProxyType(
    {
        ErrorCode.SEGMENT_SEQUENCE: "Segment sequence error",
        ErrorCode.REQUIRED_FIELD: "Required field missing",
        ErrorCode.DATA_TYPE: "Data type error",
        ErrorCode.TABLE_VALUE: "Table value not found",
        ErrorCode.UNSUPPORTED_MESSAGE: "Unsupported message type",
        ErrorCode.UNSUPPORTED_EVENT: "Unsupported event code",
        ErrorCode.UNSUPPORTED_PROCESSING_ID: "Unsupported processing id",
        ErrorCode.UNSUPPORTED_VERSION: "Unsupported version id",
        ErrorCode.UNKNOWN_KEY: "Unknown key identifier",
        ErrorCode.DUPLICATE_KEY: "Duplicate key identifier",
        ErrorCode.RECORD_LOCKED: "Application record locked",
        ErrorCode.INTERNAL: "Application internal error",
    }
)
"""Table 0357's own words."""


class PatientClass(StrEnum):
    """Table 0004, patient class (PV1-2)."""

    EMERGENCY = "E"
    INPATIENT = "I"
    OUTPATIENT = "O"
    PREADMIT = "P"
    RECURRING = "R"
    OBSTETRICS = "B"
    COMMERCIAL = "C"
    NOT_APPLICABLE = "N"
    UNKNOWN = "U"


EXPIRED = ("20", "40", "41", "42")
"""Table 0112, discharge disposition (PV1-36): expired, and where; user-defined, so that a site may name its own."""

_ISO_8859 = {f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), 13, 14, 15, 16)}
_JAPANESE = dict.fromkeys(("ISO IR14", "ISO IR87", "ISO IR159"), "iso2022_jp_ext")
_EAST_ASIAN = {"GB 18030-2000": "gb18030", "KS X 1001": "euc_kr", "CNS 11643-1992": "big5", "BIG-5": "big5"}
_UNICODE = dict.fromkeys(("UNICODE UTF-8", "UNICODE", "UTF-8", "UTF8"), "utf-8")
_WINDOWS = {f"{word}{page}": f"cp{page}" for page in range(1250, 1259) for word in ("WINDOWS-", "CP", "WIN-")}

CHARSETS = MappingProxyType({"ASCII": "ascii", **_ISO_8859, **_JAPANESE, **_EAST_ASIAN, **_UNICODE, **_WINDOWS})
"""Table 0211, character set (MSH-18) → Python codec, with the spellings senders use beside HL7's own."""


def codec(name: str) -> str | None:
    """The Python codec of an MSH-18 value in any common spelling (`8859/1`, `ISO-8859-1`, `ISOIR87`), or None."""
    plain = name.strip().upper()
    return CHARSETS.get(plain) or _BY_LETTERS.get(_letters(plain))


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum()).removeprefix("ISO")


_BY_LETTERS = {_letters(name): found for name, found in CHARSETS.items()}
