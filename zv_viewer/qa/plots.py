"""Small plots as SVG text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from zv_viewer.qa.report import CellMeasures

_WIDE, _BAR = 640, 22
_LEFT, _RIGHT = 150, 110
_RAMP = ((247, 251, 255), (107, 174, 214), (8, 48, 107))
_MOST_CELLS = 4_000


def bars(
    title: str,
    rows: Sequence[tuple[str, float, str]],
    colour: str = "#4878a8",
    largest: float | None = None,
) -> str:
    """Bars one below the other.

    Args:
        title: What they show.
        rows: (name, length, text beside it) of every bar.
        colour: Of the bars.
        largest: Length of a bar that is as long as can be; the largest there is by default.
    """
    largest = largest or max((value for _, value, _ in rows), default=0.0) or 1.0
    high = 26 + _BAR * len(rows)
    parts = [_head(_WIDE, high), _text(0, 14, title, bold=True)]
    room = _WIDE - _LEFT - _RIGHT
    for i, (name, value, text) in enumerate(rows):
        y = 24 + i * _BAR
        wide = max(room * value / largest, 0.0)
        parts += [
            _text(_LEFT - 6, y + 13, name, anchor="end"),
            f'<rect x="{_LEFT}" y="{y}" width="{wide:.1f}" height="{_BAR - 6}" fill="{colour}"/>',
            _text(_LEFT + wide + 5, y + 13, text),
        ]
    return "".join([*parts, "</svg>"])


def cell_map(title: str, cells: Sequence[CellMeasures], values: Sequence[float | None]) -> str:
    """Chunks seen along the last axis, coloured by the largest value behind one another.

    Args:
        title: What they show.
        cells: The chunks.
        values: A value of each; None where there is none.
    """
    if not cells:
        return ""
    low = np.array([cell.low[:2] for cell in cells])
    high = np.array([cell.high[:2] for cell in cells])
    number = np.array([np.nan if value is None else value for value in values])
    places, which = np.unique(low, axis=0, return_inverse=True)
    tops = np.full(len(places), -np.inf)
    np.fmax.at(tops, which.reshape(-1), number)
    order = np.argsort(-tops, kind="stable")[:_MOST_CELLS]
    ends = np.zeros_like(places)
    ends[which.reshape(-1)] = high
    corner, far = low.min(axis=0), high.max(axis=0)
    scale = min(_WIDE / (far[0] - corner[0]), 360 / (far[1] - corner[1]))
    tall = (far[1] - corner[1]) * scale
    largest = float(tops[np.isfinite(tops)].max(initial=0.0))
    parts = [_head(_WIDE, tall + 44), _text(0, 14, title, bold=True)]
    for i in order:
        x, y = (places[i] - corner) * scale
        wide, high_ = (ends[i] - places[i]) * scale
        fill = _colour(tops[i] / largest if largest else 0.0) if np.isfinite(tops[i]) else "#eee"
        told = f"{tops[i]:.4g}" if np.isfinite(tops[i]) else "nothing measured"
        parts.append(
            f'<rect x="{x:.1f}" y="{y + 22:.1f}" width="{max(wide, 1):.1f}" '
            f'height="{max(high_, 1):.1f}" fill="{fill}" stroke="#999" stroke-width="0.3">'
            f"<title>{escape(told)}</title></rect>"
        )
    parts += [
        f'<rect x="{i * 3}" y="{tall + 30:.1f}" width="3" height="8" fill="{_colour(i / 59)}"/>'
        for i in range(60)
    ]
    parts.append(_text(186, tall + 38, f"0 to {largest:.4g}"))
    return "".join([*parts, "</svg>"])


def _colour(part: float) -> str:
    place = min(max(part, 0.0), 1.0) * (len(_RAMP) - 1)
    i = min(int(place), len(_RAMP) - 2)
    mixed = [round(a + (b - a) * (place - i)) for a, b in zip(_RAMP[i], _RAMP[i + 1], strict=True)]
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _head(wide: float, high: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" '
        f'width="{wide:.0f}" height="{high:.0f}" role="img">'
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="{anchor}"{weight}>'
        f"{escape(text)}</text>"
    )
