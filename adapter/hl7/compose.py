r"""Messages written by hand: escaped text in, ER7 bytes out.

>>> segment("OBX", "1", "NM", ("2276-4", "Ferritin", "LN"), None, "5200", "ng/mL")
'OBX|1|NM|2276-4^Ferritin^LN||5200|ng/mL'
"""

from collections.abc import Iterable, Sequence

from adapter.hl7.escapes import STANDARD, escaped

Component = str | tuple[str, ...]
"""Text, or a tuple of subcomponents."""
Field = str | tuple[Component, ...] | Sequence[str | tuple[Component, ...]] | None
"""Text, a tuple of components, a list of repetitions of either, or nothing."""

_MARKS = STANDARD.field + STANDARD.encoding_characters


def segment(name: str, *fields: Field) -> str:
    """One segment without its CR. Fields count from 1; those of MSH from 3, for MSH-1 and MSH-2 are the separators."""
    start = name + _MARKS if name in {"MSH", "FHS", "BHS"} else name
    return STANDARD.field.join([start, *map(_field, fields)])


def er7(segments: Iterable[str], encoding: str = "utf-8") -> bytes:
    """The message: every segment ends with CR."""
    return "".join(f"{line}\r" for line in segments).encode(encoding)


def _field(field: Field) -> str:
    if not field:
        return ""
    if isinstance(field, str):
        return escaped(field)
    if isinstance(field, tuple):
        return _repetition(field)
    return STANDARD.repetition.join(map(_repetition, field))


def _repetition(value: str | tuple[Component, ...]) -> str:
    if isinstance(value, str):
        return escaped(value)
    return STANDARD.component.join(map(_component, value))


def _component(value: Component) -> str:
    if isinstance(value, str):
        return escaped(value)
    return STANDARD.subcomponent.join(map(escaped, value))
