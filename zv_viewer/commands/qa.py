"""``zv-view qa``: what is wrong with a pyramid, in words, as JSON, and as a page."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections import Counter

from zarr_vectors._text import plain
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zv_viewer.errors import ensure_writable
from zv_viewer.qa.errors import write_errors
from zv_viewer.qa.html import page
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.report import Finding, Report

ALARMS = 1
"""Exit code where something is an error."""
_SHOWN = 20


def qa(args: argparse.Namespace) -> int:
    """Inspect a store, print and write what was found; the exit code."""
    path = args.stores[0]
    for out in (args.html, args.json):
        if out is not None:
            ensure_writable(out)
    if args.write_errors:
        open_handle(path, "r+")  # says at the start that it cannot be written to
    with open_zv(path) as store, warnings.catch_warnings():
        warnings.simplefilter("ignore", ZVWarning)  # the report tells it
        report = inspect_store(store, progress=_tell if sys.stderr.isatty() else _silent)
    if args.json is not None:
        args.json.write_text(json.dumps(report.to_json(), indent=1, allow_nan=False) + "\n")
    if args.html is not None:
        args.html.write_text(page(report), encoding="utf-8")
    print(words(report))
    if args.write_errors:
        written = write_errors(path, report)
        print(f"  errors stored at levels {', '.join(map(str, written)) or 'none'}")
    return ALARMS if report.alarms else 0


def words(report: Report) -> str:
    """A report as text: a line per level and per finding."""
    drawn = any(level.shape_p95 is not None for level in report.levels)
    lines = [
        f"{report.store}",
        f"  {report.geometry}, format {report.format_version}, looked at in {report.seconds:.1f} s",
        "",
        f"  {'level':>5} {'vertices':>14} {'bytes':>14} {'p50 / p95 / max error':>28} "
        f"{'overlap':>8} {'holes':>8} {'bias':>6} {'objects':>8}{'  shape p95' if drawn else ''}",
    ]
    for level in report.levels:
        error = level.to_level
        shown = "" if error is None else f"{error.p50:.4g} / {error.p95:.4g} / {error.max:.4g}"
        lines.append(
            f"  {level.level:>5} {level.vertices:>14,} {_number(level.bytes, ','):>14} {shown:>28} "
            f"{_number(level.occupancy_iou, '.4f'):>8} {_number(level.hole_rate, '.2%'):>8} "
            f"{_number(level.density_bias, '.2f'):>6} {_number(level.objects_kept, '.1%'):>8}"
            + (f" {_number(level.shape_p95, '.4g'):>10}" if drawn else "")
        )
    counts = Counter(finding.severity for finding in report.findings)
    lines += [
        "",
        f"  {counts['error']} errors, {counts['warning']} warnings, {counts['info']} notes"
        + ("" if report.complete else "; stopped before the end"),
    ]
    lines += [line for finding in report.findings[:_SHOWN] for line in _lines(finding)]
    if len(report.findings) > _SHOWN:
        lines.append(f"  and {len(report.findings) - _SHOWN} more: --json or --html tells all")
    return "\n".join(map(plain, lines))


def _lines(finding: Finding) -> list[str]:
    place = f" ({finding.where})" if str(finding.where) else ""
    return [
        f"  {finding.severity}: {finding.kind} at level {finding.level}{place}: {finding.message}",
        f"    {finding.fix}",
    ]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _tell(done: int, total: int, text: str) -> None:
    print(
        f"\r\x1b[K{done} of {total}: {text}",
        end="" if done < total else "\r\x1b[K",
        file=sys.stderr,
    )


def _silent(done: int, total: int, text: str) -> None:
    pass
