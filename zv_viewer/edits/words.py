"""What an edit will do, or did, in lines for a person. Pure."""

from __future__ import annotations

from zv_viewer.edits.dry_run import DryRun
from zv_viewer.edits.saved import Edit


def size_words(count: int) -> str:
    """Bytes as a person says them."""
    if count < 10_000:
        return f"{count:,} bytes"
    size, units = float(count), ("kB", "MB", "GB")
    for unit in units:
        size /= 1000
        if size < 1000 or unit == units[-1]:
            break
    return f"{size:,.1f} {unit} ({count:,} bytes)"


def dry_run_lines(dry: DryRun) -> list[str]:
    """The outcome of a dry run: values, keys, bytes, chunks, conflicts, notes."""
    made = sum(change.old is None for change in dry.changes)
    gone = sum(change.new is None for change in dry.changes)
    over = len(dry.changes) - made - gone
    summary = dry.summary
    values = f"{summary.rows:,} values, {dry.kind.words}"
    if summary.limits is not None:
        values += f", from {summary.limits[0]:g} to {summary.limits[1]:g}"
    if summary.without_value:
        values += f", {summary.without_value:,} without a value"
    lines = [
        values,
        f"{len(dry.changes):,} keys: {made:,} new, {over:,} replaced, {gone:,} removed",
    ]
    lines.append(f"{size_words(dry.bytes_written)} to write, {dry.bytes_replaced:,} replaced")
    if dry.chunks:
        per = ", ".join(f"{count:,} of level {level}" for level, count in dry.chunks.items())
        lines.append(f"chunks: {per}")
    lines += [f"refused: {one}" for one in dry.conflicts]
    lines += [f"note: {one}" for one in dry.notes]
    return lines


def key_lines(dry: DryRun, most: int | None = None) -> list[str]:
    """The keys that change, with their bytes before and afterwards: all, or at most so many."""
    lines = ["keys, and their bytes before > afterwards:"]
    for change in dry.changes[:most]:
        old = "-" if change.old is None else f"{change.old.length:,}"
        new = "-" if change.new is None else f"{change.new.length:,}"
        lines.append(f"{change.key}  {old} > {new}")
    left = 0 if most is None else len(dry.changes) - most
    if left > 0:
        lines.append(f"and {left:,} more, which zv-view attribute --dry-run lists")
    return lines


def edit_words(edit: Edit | None) -> str:
    """An edit by what it did and when."""
    return "" if edit is None else f"{edit.words}, {edit.time.replace('T', ' ')[:16]} UTC"
