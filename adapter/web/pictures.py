"""Where boxes, bars and lines of our pictures lie; `pictures.html` draws them, and a table beside each says the same."""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from adapter.scoring.thresholds import WORST_TOTAL
from adapter.web.flow import Step
from adapter.web.tongue import several

WIDTH, MAIN, SIDE, GAP = 720, 300, 340, 14
BOX, LINE, PAD = 50, 17, 12
LETTERS = 44
"""Of a line in a side box."""
BAR, LABEL = 26, 250


@dataclass(frozen=True, slots=True)
class Box:
    """`lines` with the middle height of each; the first is the heading."""

    x: int
    y: int
    width: int
    height: int
    lines: tuple[tuple[int, str], ...]

    @property
    def middle(self) -> int:
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class FlowPicture:
    """`steps` stand one under another; `sides` say who left, at the height of their arrow."""

    width: int
    height: int
    steps: tuple[Box, ...]
    sides: tuple[tuple[int, Box], ...]
    arrows: tuple[tuple[int, int], ...]
    """From a step's foot to the next one's head."""
    says: str


def flow_picture(steps: Sequence[Step]) -> FlowPicture:
    """CONSORT's shape: down the left who goes on, to the right who does not, and why."""
    boxes: list[Box] = []
    sides: list[tuple[int, Box]] = []
    arrows: list[tuple[int, int]] = []
    y = 1
    for number, step in enumerate(steps):
        boxes.append(_box(1, y, MAIN, [step.name, str(step.count)]))
        y += BOX
        if number == len(steps) - 1:
            break
        side = _side(step, y + GAP)
        below = y + (side.height + 2 * GAP if side else 2 * GAP)
        if side:
            sides.append((side.y + side.height // 2, side))
        arrows.append((y, below))
        y = below
    says = "; ".join(f"{step.name}: {step.count}" for step in steps)
    return FlowPicture(WIDTH, y + 1, tuple(boxes), tuple(sides), tuple(arrows), says)


def _side(step: Step, y: int) -> Box | None:
    if not step.gone:
        return None
    lines = [several("%(number)s did not go on", "%(number)s did not go on", step.gone)]
    for why, number in step.left:
        lines += textwrap.wrap(f"{number} {why}", LETTERS, subsequent_indent="    ")
    return _box(WIDTH - SIDE - 1, y, SIDE, lines)


def _box(x: int, y: int, width: int, lines: Sequence[str]) -> Box:
    height = max(BOX if width == MAIN else 0, len(lines) * LINE + PAD)
    placed = tuple((y + PAD // 2 + LINE * number + LINE // 2, line) for number, line in enumerate(lines))
    return Box(x, y, width, height, placed)


@dataclass(frozen=True, slots=True)
class Bar:
    y: int
    label: str
    number: int
    width: int


@dataclass(frozen=True, slots=True)
class BarPicture:
    width: int
    height: int
    left: int
    bars: tuple[Bar, ...]
    says: str


def bar_picture(counts: Mapping[str, int] | Iterable[tuple[str, int]]) -> BarPicture:
    """In the order given; the longest fills the width."""
    pairs = list(counts.items() if isinstance(counts, Mapping) else counts)
    most = max((number for _, number in pairs), default=1) or 1
    room = WIDTH - LABEL - 60
    bars = tuple(
        Bar(BAR * row, textwrap.shorten(label, LETTERS - 6, placeholder="…"), number, max(1, room * number // most))
        for row, (label, number) in enumerate(pairs)
    )
    says = "; ".join(f"{label}: {number}" for label, number in pairs)
    return BarPicture(WIDTH, BAR * len(bars), LABEL, bars, says)


@dataclass(frozen=True, slots=True)
class Moment:
    """Of how many at this hour, the quartiles of the lower end of their score, and the median of its upper end."""

    hour: int
    number: int
    low: float
    median: float
    high: float
    upper: float


@dataclass(frozen=True, slots=True)
class CoursePicture:
    """Points as SVG writes them; `across` and `up` are the marks of the axes with their words."""

    width: int
    height: int
    left: int
    bottom: int
    band: str
    median: str
    upper: str
    across: tuple[tuple[float, str], ...]
    up: tuple[tuple[float, str], ...]
    zero: float
    says: str


COURSE_HEIGHT, AXIS, FOOT = 260, 44, 40
TICK, DAY = 4, 24
"""How far the marks of the score are apart; hours between the marks below."""


def course_picture(moments: Sequence[Moment]) -> CoursePicture:
    """A band from quartile to quartile, the median in it, and dashed the median of what the score may be at most."""
    hours = [one.hour for one in moments] or [0]
    first, last = min(hours), max(*hours, min(hours) + 1)
    bottom = COURSE_HEIGHT - FOOT

    def x(hour: float) -> float:
        return round(AXIS + (WIDTH - AXIS - 10) * (hour - first) / (last - first), 1)

    def y(score: float) -> float:
        return round(bottom - (bottom - 10) * score / WORST_TOTAL, 1)

    def line(points: Iterable[tuple[int, float]]) -> str:
        return " ".join(f"{x(hour)},{y(score)}" for hour, score in points)

    there = [(one.hour, one.low) for one in moments]
    back = [(one.hour, one.high) for one in reversed(moments)]
    marks = range(first - first % DAY, last + 1, DAY)
    return CoursePicture(
        width=WIDTH,
        height=COURSE_HEIGHT,
        left=AXIS,
        bottom=bottom,
        band=line([*there, *back]),
        median=line((one.hour, one.median) for one in moments),
        upper=line((one.hour, one.upper) for one in moments),
        across=tuple((x(hour), f"{hour:+d} h" if hour else "shown") for hour in marks if hour >= first),
        up=tuple((y(score), str(score)) for score in range(0, WORST_TOTAL + 1, TICK)),
        zero=x(0),
        says="; ".join(f"{one.hour:+d} h: median {one.median:g}, {one.number} patients" for one in moments),
    )
