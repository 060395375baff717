"""The lung: PaO2/FiO2 of each blood gas with the oxygen and the support of its own moment, then the worst.

Never the lowest PaO2 over the highest FiO2: worst unventilated 68, worst ventilated 120 is 3 points, not 4.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from adapter.domain.assessment import OrganScore, OrganStatus
from adapter.domain.observation import Observation
from adapter.domain.patient import Window
from adapter.domain.quantity import Quantity, decimal_text
from adapter.scoring.chart import Chart, Timed
from adapter.scoring.finding import CENSORED, Finding, beside, worst
from adapter.scoring.laboratory import CONVERTED, NATIVE_TABLE, in_si
from adapter.scoring.ladder import UNSAID, Ladder
from adapter.scoring.machines import machines
from adapter.scoring.options import ScoringOptions
from adapter.scoring.oxygen import Oxygen, oxygen, support
from adapter.scoring.thresholds import (
    FIO2_PERHAPS_SPO2,
    HIGH_FLOW,
    LUNG_BYPASS,
    PF,
    PROBABLY_VENOUS,
    SF,
    SPO2_USABLE_BELOW,
    UNSUPPORTED_CEILING,
    Columns,
)

VENOUS_REJECTED = "venous_gas_rejected"
NOT_ARTERIAL = "specimen_not_confirmed_arterial"
POSSIBLY_VENOUS = "possibly_venous"
FIO2_MISSING = "fio2_missing"
ESTIMATE_SENSITIVE = "estimate_sensitive"
SF_IMPUTED = "sf_imputed"
SUPPORT_UNKNOWN = "respiratory_support_unknown"
HFNC_NOT_COUNTED = "hfnc_not_counted_as_support"
PERHAPS_SPO2 = "fio2_may_be_spo2"
ECMO = "ecmo"
AS_REPORTED = Oxygen(Fraction(1), Fraction(1), Fraction(1), ())
"""A ratio somebody else divided."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is divided by FiO2, read on which ladder."""

    ladder: Ladder
    measured: Quantity
    breathed: Oxygen

    def at(self, fio2: Fraction) -> tuple[int, int]:
        divided = Quantity(self.measured.value / fio2, self.ladder.unit, self.measured.comparator)
        return self.ladder.span(divided)

    def ends(self) -> tuple[int, int, int]:
        """Points at the estimate, at the mildest and at the worst end of FiO2 (less oxygen needed is milder)."""
        low, high = self.at(self.breathed.fio2)
        if self.breathed.low == self.breathed.high:
            return low, low, high
        return low, self.at(self.breathed.low)[0], self.at(self.breathed.high)[1]

    def flags(self, ends: tuple[int, int, int]) -> tuple[str, ...]:
        if ends[1] == ends[2]:
            return self.breathed.flags
        return (*self.breathed.flags, CENSORED if self.measured.comparator else ESTIMATE_SENSITIVE)

    def rule(self, points: int, capped: int) -> str:
        rule = self.ladder.rule(points)
        return rule if points == capped else f"{rule}, without respiratory support {capped}"

    def note(self) -> str:
        unit = "" if self.ladder.unit in UNSAID else f" {self.ladder.unit}"
        bound = self.measured.comparator or ""
        shown = f"{self.ladder.name} {bound}{decimal_text(self.measured.value / self.breathed.fio2)}{unit}"
        if self.breathed is AS_REPORTED:
            return f"{shown}, as reported"
        estimated = " (estimated)" if self.breathed.flags else ""
        return f"{shown}, FiO2 {decimal_text(self.breathed.fio2)}{estimated}"


@dataclass(frozen=True, slots=True)
class Support:
    """`given` is `None` when nothing was charted: then 3 and 4 points stay possible."""

    given: bool | None
    device: str
    basis: tuple[Observation, ...]

    def capped(self, ends: tuple[int, int, int]) -> tuple[int, int, int]:
        """Without support 2 points at most."""
        if self.given:
            return ends
        score, low, high = (min(points, UNSUPPORTED_CEILING) for points in ends)
        return score, low, max(ends) if self.given is None else high

    def flags(self, ends: tuple[int, int, int]) -> tuple[str, ...]:
        """Said only where the ceiling matters."""
        if self.given or max(ends) <= UNSUPPORTED_CEILING:
            return ()
        if self.given is None:
            return (SUPPORT_UNKNOWN,)
        return (HFNC_NOT_COUNTED,) if self.device == HIGH_FLOW else ()


@dataclass(frozen=True, slots=True, eq=False)
class Lung:
    """The cut-points of one score; `supported`: what counts as respiratory support, or as the site says; whether the
    saturation is firm where there is no gas.
    """

    pf: Columns
    sf: Ladder
    supported: frozenset[str] | None = None
    surrogate_firm: bool = False

    def by_saturation(self) -> "Lung":
        return replace(self, pf=Columns(self.sf, self.sf, {}))


LUNG = Lung(PF, SF)


def respiration(chart: Chart, window: Window, options: ScoringOptions, lung: Lung = LUNG) -> OrganScore:
    """P/F first; SpO2/FiO2 only where the window holds no P/F, and then it decides nothing (clinical 2.5)."""
    flags: list[str] = []
    if machines(chart, "circulatory-support", window, LUNG_BYPASS):
        flags.append(ECMO)
    findings = [*_gases(chart, window, options, lung, flags), *_reported(chart, window, options, lung, flags)]
    return worst(findings or list(_saturations(chart, window, options, lung)), flags)


def _gases(chart: Chart, window: Window, options: ScoringOptions, lung: Lung, flags: list[str]) -> Iterator[Finding]:
    def divided(item: Timed) -> Finding | None:
        breathed = oxygen(chart, item.time, options, item.observation)
        return None if breathed is None else _gas(chart, item, breathed, options, lung)

    for item in chart.series("pao2").within(window):
        if item.observation.specimen == "venous":
            flags.append(VENOUS_REJECTED)
        elif item.observation.quantity is not None:
            found = item.said((lung, options), divided)
            if found is None:
                flags.append(FIO2_MISSING)
            else:
                yield found


def _gas(chart: Chart, item: Timed, breathed: Oxygen, options: ScoringOptions, lung: Lung) -> Finding:
    gas = item.observation
    found = _finding(chart, item, lung, breathed, options)
    low = (POSSIBLY_VENOUS,) if gas.quantity is not None and gas.quantity.value < PROBABLY_VENOUS else ()
    flagged = replace(found, flags=(*found.flags, *low)) if low else found
    return _confirmed(flagged, arterial=gas.specimen == "arterial")


def _reported(chart: Chart, window: Window, options: ScoringOptions, lung: Lung, flags: list[str]) -> Iterator[Finding]:
    """A P/F the device or laboratory computed; beside its own PaO2 of the same moment it adds nothing."""
    gases = chart.series("pao2")
    for item in chart.series("pf-ratio").within(window):
        one = item.observation
        if one.specimen == "venous":
            flags.append(VENOUS_REJECTED)
        elif one.quantity is not None and not _divided(chart, gases.between(item.time, item.time), options):
            found = _finding(chart, item, lung, AS_REPORTED, options)
            yield _confirmed(found, arterial=one.specimen in {"", "arterial"})


def _divided(chart: Chart, gases: tuple[Timed, ...], options: ScoringOptions) -> bool:
    """An arterial gas of this moment has its own FiO2."""
    arterial = (item for item in gases if item.observation.specimen == "arterial")
    return any(oxygen(chart, item.time, options, item.observation) for item in arterial)


def _saturations(chart: Chart, window: Window, options: ScoringOptions, lung: Lung) -> Iterator[Finding]:
    """The SpO2/FiO2 surrogate of Rice 2007: shown, never firm."""

    def divided(item: Timed) -> Finding | None:
        percent = item.observation.quantity
        if percent is None or percent.value >= SPO2_USABLE_BELOW:
            return None
        breathed = oxygen(chart, item.time, options)
        return None if breathed is None else _saturation(chart, item, breathed, options, lung)

    for item in chart.series("spo2").within(window):
        found = item.said((lung, options), divided)
        if found is not None:
            yield found


def _saturation(chart: Chart, item: Timed, breathed: Oxygen, options: ScoringOptions, lung: Lung) -> Finding:
    found = _finding(chart, item, lung.by_saturation(), breathed, options)
    return replace(found, status=OrganStatus.DERIVED, flags=(SF_IMPUTED, *found.flags), firm=lung.surrogate_firm)


def _finding(chart: Chart, item: Timed, lung: Lung, breathed: Oxygen, options: ScoringOptions) -> Finding:
    """Read in the column of the unit it was reported in, and converted beside it (clinical D9)."""
    one, columns = item.observation, lung.pf
    conventional = Sample(columns.conventional, one.quantity or Quantity(Fraction(0), ""), breathed)
    native = None if options.unit_policy == CONVERTED else in_si(one.native, columns)
    sample = conventional if native is None else Sample(columns.si, native, breathed)
    supported = Support(*support(chart, item.time, options, lung.supported))
    ends = sample.ends()
    score, low, high = supported.capped(ends)
    found = Finding(
        score,
        low,
        high,
        (one, *breathed.basis, *(said for said in supported.basis if said not in breathed.basis)),
        sample.rule(ends[0], score),
        note=sample.note,
        converted=score,
        status=OrganStatus.DERIVED if breathed.flags else OrganStatus.MEASURED,
        flags=(*sample.flags(ends), *supported.flags(ends), *_doubts(breathed, supported)),
    )
    alone = native is None or options.unit_policy != NATIVE_TABLE
    return found if alone else beside(found, *supported.capped(conventional.ends()))


def _doubts(breathed: Oxygen, supported: Support) -> tuple[str, ...]:
    charted = breathed is not AS_REPORTED and not breathed.flags
    return (PERHAPS_SPO2,) if charted and supported.given is None and breathed.fio2 >= FIO2_PERHAPS_SPO2 else ()


def _confirmed(found: Finding, *, arterial: bool) -> Finding:
    """Only an arterial gas is firm; another one needs a person."""
    return found if arterial else replace(found, flags=(*found.flags, NOT_ARTERIAL), firm=False)
