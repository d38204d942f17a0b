"""``zv-view attribute``: an attribute written to a store, or the last one taken back."""

from __future__ import annotations

import argparse
import sys

from zarr_vectors.core.handle import open_handle
from zv_viewer.edits.dry_run import rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import Request
from zv_viewer.edits.sources import FromExpression, FromFile, Source
from zv_viewer.edits.words import dry_run_lines, edit_words, key_lines
from zv_viewer.errors import InputError

REFUSED = 1
"""Exit code of ``--dry-run`` where the write would be refused."""


def attribute(args: argparse.Namespace) -> int:
    """Rehearse, tell, and unless asked not to, write; the exit code.

    Raises:
        InputError: What is asked for does not fit together, or not with the store.
        StoreError: The store cannot be written to, or was changed since.
    """
    place, history = args.stores[0], History()
    if args.undo or args.redo:
        return _back(place, history, redo=args.redo)
    if args.name is None:
        raise InputError("give the attribute a name, or --undo")
    handle = open_handle(place)
    request = Request(
        name=args.name,
        scope=args.scope,
        source=_source(args),
        level=args.level,
        dtype=args.dtype,
        aggregation=args.aggregation,
        carry=not args.alone,
        replace=args.replace,
    )
    with rehearse(handle, request, progress=_told) as dry:
        for line in dry_run_lines(dry):
            print(line)
        if args.dry_run:
            for line in key_lines(dry):
                print(f"  {line}")
            return REFUSED if dry.conflicts else 0
        edit = history.write(handle, dry, progress=_told)
    print(f"done: {edit.words}; take it back by zv-view attribute {place} --undo")
    return 0


def _source(args: argparse.Namespace) -> Source:
    if (args.expression is None) == (args.file is None):
        raise InputError("give --expression or --file")
    if args.expression is not None:
        return FromExpression(args.expression)
    column = args.column or args.file.stem
    by_object = args.ids is not None
    return FromFile(
        args.file, column, "object" if by_object else "row", args.ids or "", not args.lax
    )


def _back(place: str, history: History, *, redo: bool) -> int:
    handle = open_handle(place)
    for notice in history.notices(handle):
        print(f"note: {notice}", file=sys.stderr)
    edit = history.can_redo(handle) if redo else history.can_undo(handle)
    if edit is None:
        what = "done again" if redo else "taken back"
        raise InputError(f"{handle.backend.url}: nothing is kept here that can be {what}")
    (history.redo if redo else history.undo)(handle, edit, progress=_told)
    print(f"{'done again' if redo else 'taken back'}: {edit_words(edit)}")
    return 0


def _told(share: float, text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {text:40.40}", end="\n" if share >= 1 else "", file=sys.stderr)
