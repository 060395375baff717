"""Ways into the body: RXR-1 in our words."""

from adapter.hl7.er7 import Segment

ROUTES = {
    "iv": "IV, IVP, IVPB, IV PUSH, INTRAVENOUS, INFUSION, IVI, IV DRIP, I.V., IV INFUSION, IV CONTINUOUS, INTRAVENEUS, INTRAVENÖS, "
    "CENTRAL LINE, CVC, IO, INTRAOSSEOUS",
    "oral": "PO, ORAL, OTH-NG, NG, NASOGASTRIC, PEG, ENTERAL, SL, BUCCAL",
    "sc": "SC, SQ, SUBCUT, SUBCUTANEOUS",
    "im": "IM, INTRAMUSCULAR, INTRAMUSCULAIR, INTRAMUSKULÄR",
    "inhaled": "IH, NEB, INH, INHALATION, NEBULISED, NEBULIZED, NP, NS",
    "topical": "TP, TOP, TOPICAL, OP, OT, EP, IA, ID, IT, VG, RC, EPIDURAL, PERIDURAL, INTRATHECAL, INTRADERMAL, NASAL, OPHTHALMIC, "
    "TRANSDERMAL",
}
"""Table 0162 and what senders write instead, folded into what exposure asks: only systemic ways count (clinical 3.3)."""
BY_WORD = {word: route for route, words in ROUTES.items() for word in words.split(", ")}


def route_of(ways: list[Segment]) -> str:
    """RXR-1 in our words; `other` for a way we do not know, empty where none is said."""
    for way in ways:
        for component in (1, 2, 4, 5):
            word = way.text(1, component).strip().upper()
            if word in BY_WORD:
                return BY_WORD[word]
    return "other" if ways else ""
