"""Who may send through a source: the configured pairs of MSH-3 and MSH-4, and to which of them a message belongs."""

from dataclasses import dataclass

REASON = "SENDER"
"""The quarantine's code for a message of anybody else: stored, never applied until a person releases it (reliability H15)."""
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Senders:
    """`names` as `MSH-3|MSH-4`; empty: everybody. A name without components stands for the first component of each field."""

    names: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.names)

    def name_of(self, sender: str, component: str = "^") -> str | None:
        """The configured name of a message's `MSH-3|MSH-4`, or None."""
        if sender in self.names:
            return sender
        short = "|".join([field.partition(component)[0] for field in sender.split("|")])
        return short if short in self.names else None

    def label(self, sender: str) -> str:
        """For metrics: a word of the configuration, whatever came over the wire."""
        return self.name_of(sender) or OTHER
