"""Errors whose message is one sentence for the person at the window or the terminal."""

from __future__ import annotations

from pathlib import Path


class InputError(ValueError):
    """Something the user gave cannot be used."""


class FlightError(InputError):
    """A flight file that cannot be flown."""


class DisplayError(InputError):
    """There is no display to draw on, and none can be made."""


def ensure_writable(path: Path) -> None:
    """Say at the start, not after minutes of work, that ``path`` cannot be written.

    Raises:
        InputError: Its folder does not exist, or it is a folder itself.
    """
    if not path.absolute().parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")
