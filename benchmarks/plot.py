"""Line plots as SVG, small and plain: a few series over a logarithmic axis, labelled at their ends."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 300, 56, 96, 36, 44
COLOURS = ("#1f6f8b", "#c2571a", "#5b7f2b")
Point = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """`series` by label; x is logarithmic, y begins at 0."""

    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[Point]]

    def svg(self, offset: float) -> str:
        xs = sorted({x for points in self.series.values() for x, _ in points})
        top = nice(max(y for points in self.series.values() for _, y in points))
        parts = [text(WIDTH / 2, 18, self.title), *self._axes(xs, top)]
        for colour, (label, points) in zip(COLOURS, self.series.items(), strict=False):
            placed = [(self._x(x, xs), self._y(y, top)) for x, y in points]
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
            parts.append(text(placed[-1][0] + 8, placed[-1][1] + 4, label, anchor="start", colour=colour))
        return f'<g transform="translate({offset},0)">{"".join(parts)}</g>'

    def _axes(self, xs: Sequence[float], top: float) -> list[str]:
        low, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        parts = [text((LEFT + right) / 2, HEIGHT - 8, self.x), text(14, TOP - 8, self.y, anchor="start")]
        for step in range(5):
            y, value = self._y(top * step / 4, top), top * step / 4
            parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#e2e2e2"/>')
            parts.append(text(LEFT - 6, y + 4, f"{value:g}", anchor="end"))
        parts += [text(self._x(x, xs), low + 16, f"{x:,.0f}") for x in xs]
        return parts

    @staticmethod
    def _x(x: float, xs: Sequence[float]) -> float:
        low, high = math.log(xs[0]), math.log(xs[-1])
        return LEFT + (WIDTH - LEFT - RIGHT) * ((math.log(x) - low) / (high - low) if high > low else 0.5)

    @staticmethod
    def _y(y: float, top: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top


def nice(value: float) -> float:
    """The next round number: 1, 2, 4, 8 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)


def text(x: float, y: float, said: str, *, anchor: str = "middle", colour: str = "#333") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(said)}</text>'


def picture(panels: Sequence[Panel]) -> str:
    """Side by side."""
    width = WIDTH * len(panels)
    drawn = "".join(panel.svg(WIDTH * number) for number, panel in enumerate(panels))
    size = f'viewBox="0 0 {width} {HEIGHT}" width="{width}" height="{HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
        f'<rect width="{width}" height="{HEIGHT}" fill="#fff"/>{drawn}</svg>\n'
    )
