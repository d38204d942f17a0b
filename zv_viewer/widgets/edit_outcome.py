"""What came of an edit, in words: names from files and stores stand in it, so never as markup."""

from __future__ import annotations

import html
from typing import Any

from magicgui.widgets import TextEdit

ROWS_SEEN = 12
HINT = "A dry run tells which keys, bytes and chunks will change. Nothing is written before."
MOST_KEYS = 5000
"""Keys listed; of more, their number is told, and the command line lists all."""


class Outcome(TextEdit):
    """Lines that can be read and copied, not changed."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  magicgui's
        super().__init__(**options)
        self.native.setReadOnly(True)
        self.native.setAcceptRichText(False)
        self.native.setPlaceholderText(HINT)
        self.native.setMinimumHeight(ROWS_SEEN * self.native.fontMetrics().lineSpacing())

    def show_text(self, text: str) -> None:
        """Show lines in place of those before, from their first."""
        self.native.setPlainText(text)

    def add_text(self, text: str) -> None:
        """Show lines below, unless they are there."""
        said = self.native.toPlainText()
        if text and text not in said:
            self.show_text(f"{said}\n{text}" if said else text)


def as_tip(text: str) -> str:
    """A tooltip of plain text, whatever stands in it."""
    return f"<span>{html.escape(text)}</span>" if text else ""
