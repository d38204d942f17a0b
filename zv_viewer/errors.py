"""Errors whose message is one sentence for the person at the window or the terminal."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave cannot be used."""


class FlightError(InputError):
    """A flight file that cannot be flown."""


class DisplayError(InputError):
    """There is no display to draw on, and none can be made."""
