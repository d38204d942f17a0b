"""A report as one page that needs nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from zarr_vectors._text import plain
from zv_viewer.qa.pictures import as_address
from zv_viewer.qa.plots import bars, cell_map
from zv_viewer.qa.report import Finding, LevelMeasures, Report

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em;
  color: #222; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #ccc }
table { border-collapse: collapse; margin: 1em 0; width: 100% }
th, td { text-align: left; padding: .3em .6em; border-bottom: 1px solid #ddd; vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: .85em; background: #f4f4f4; word-break: break-all }
.error { color: #b00020; font-weight: 600 } .warning { color: #9a6700 } .info { color: #555 }
svg { display: block; margin: 1em 0; max-width: 100%; height: auto }
.seen { display: flex; flex-wrap: wrap; gap: 1em }
figure { margin: 0 } figcaption { font-size: .9em }
img { image-rendering: pixelated; max-width: 100% }
"""


def page(report: Report) -> str:
    """The page as text of HTML."""
    coarse = report.levels[1:]
    alarms = len(report.alarms)
    state = "no errors" if not alarms else f"{alarms} error{'s' if alarms > 1 else ''}"
    ended = "" if report.complete else "<p class='error'>Stopped before the end.</p>"
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{_text(report.store)}: {state}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(report.store)}</h1>",
        f"<p>{_text(report.geometry)}, format {_text(report.format_version)}: {state}; "
        f"looked at in {report.seconds:.1f} s.</p>{ended}",
        "<h2>Findings</h2>",
        _findings(report.findings),
        "<h2>Levels</h2>",
        _levels(report.levels),
        _plots(report.levels),
        _pictures(report.levels),
    ]
    parts += [_level(level) for level in coarse]
    return "".join([*parts, "</body></html>\n"])


def _findings(findings: Sequence[Finding]) -> str:
    if not findings:
        return "<p>None.</p>"
    rows = [
        f"<tr><td class='{f.severity}'>{f.severity}</td><td>{_text(f.kind)}</td>"
        f"<td class='n'>{f.level}</td><td>{_text(str(f.where))}</td>"
        f"<td>{_text(f.message)}<br><code>{_text(f.fix)}</code></td></tr>"
        for f in findings
    ]
    return _table(("severity", "kind", "level", "where", "what, and what to do"), rows)


def _levels(levels: Sequence[LevelMeasures]) -> str:
    rows = []
    for level in levels:
        cells = [
            str(level.level),
            f"{level.vertices:,}",
            _number(level.bytes, ","),
            *(_number(value) for value in (level.error_p50, level.error_p95, level.error_max)),
            _interval(level),
            _number(level.shape_p95),
            _number(level.occupancy_iou, ".4f"),
            _number(level.hole_rate, ".3%"),
            _number(level.density_bias, ".3f"),
            _number(level.objects_kept, ".1%"),
            f"{level.duplicates:,}",
        ]
        rows.append("<tr>" + "".join(f"<td class='n'>{cell}</td>" for cell in cells) + "</tr>")
    names = "level vertices bytes p50 p95 max sample shape overlap holes bias objects twice".split()
    return _table(names, rows, numbers=True)


def _interval(level: LevelMeasures) -> str:
    error = level.to_level
    if error is None:
        return ""
    low, high = error.p95_interval
    return f"{error.sample:,} of {error.of:,}; p95 in {low:.4g} to {high:.4g}"


def _plots(levels: Sequence[LevelMeasures]) -> str:
    coarse = [level for level in levels if level.to_level is not None]
    errors = [
        (f"level {level.level}", level.error_p95 or 0.0, f"{level.error_p95:.4g}")
        for level in coarse
    ]
    vertices = [(f"level {x.level}", float(x.vertices), f"{x.vertices:,}") for x in levels]
    sizes = [
        (f"level {x.level}", float(x.bytes), f"{x.bytes:,}") for x in levels if x.bytes is not None
    ]
    plots = [bars("95 % of level 0 is at most this far away (world units)", errors)] * bool(errors)
    plots.append(bars("vertices", vertices, "#6a9a5b"))
    plots += [bars("bytes as stored", sizes, "#a8784f")] * bool(sizes)
    return "".join(plots)


def _pictures(levels: Sequence[LevelMeasures]) -> str:
    """Level 0 beside the others, in one frame, each by its own brightness."""
    drawn = [
        f"<figure><img src='{as_address(level.picture)}' alt='level {level.level}'>"
        f"<figcaption>level {level.level}: {level.vertices:,} vertices</figcaption></figure>"
        for level in levels
        if level.picture is not None
    ]
    if not drawn:
        return ""
    return f"<h2>Seen along the last axis</h2><div class='seen'>{''.join(drawn)}</div>"


def _level(level: LevelMeasures) -> str:
    cells = level.cells
    parts = [
        f"<h2>Level {level.level}</h2>",
        cell_map(
            f"error by chunk: 95 % of level 0 is at most this far from level {level.level}",
            cells,
            [cell.error_p95 for cell in cells],
        ),
    ]
    if any(cell.holes for cell in cells):
        parts.append(cell_map("empty bins by chunk", cells, [float(cell.holes) for cell in cells]))
    if level.survival:
        parts.append(
            bars(
                "objects kept, by length and group",
                [
                    (s.label, s.kept / max(s.before, 1), f"{s.kept:,} of {s.before:,}")
                    for s in level.survival
                ],
                "#8a6aa8",
                largest=1.0,
            )
        )
    if level.attributes:
        rows = [
            f"<tr><td>{_text(a.name)}</td>{_pair(a.mean)}{_pair(a.p5)}{_pair(a.p50)}{_pair(a.p95)}"
            f"<td class='n'>{_number(a.mix)}</td>"
            f"<td class='n'>{_number(a.outside, '.3%')}</td></tr>"
            for a in level.attributes
        ]
        names = ("attribute", "mean", "p5", "p50", "p95", "mix of categories", "not explained")
        parts.append(_table(names, rows))
    return "".join(parts)


def _pair(pair: tuple[float, float] | None) -> str:
    return f"<td>{'' if pair is None else f'{pair[0]:.4g} &rarr; {pair[1]:.4g}'}</td>"


def _table(names: Iterable[str], rows: Sequence[str], *, numbers: bool = False) -> str:
    kind = " class='n'" if numbers else ""
    head = "".join(f"<th{kind}>{escape(name)}</th>" for name in names)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _number(value: float | None, form: str = ".4g") -> str:
    return "" if value is None else format(value, form)


def _text(text: str) -> str:
    return escape(plain(text))
