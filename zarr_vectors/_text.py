"""Text that strangers wrote, made fit to be shown: nothing in it is obeyed by a terminal.

Names in a store may hold colours and cursor moves of terminals, marks that turn the direction of
writing, line breaks, or a million characters.
"""

from __future__ import annotations

MOST_CHARACTERS = 1000
"""Characters of a message that are shown; a sentence with its names cut is shorter."""


def plain(text: str, most: int = MOST_CHARACTERS) -> str:
    """``text`` with everything that is not printed as itself spelt out, cut in the middle.

    Args:
        text: Any text, lone surrogates included.
        most: Characters to keep; more are left out of the middle, and their number told.
    """
    if len(text) > most:
        end = most // 4
        text = f"{text[: most - end]}[{len(text) - most} characters more]{text[len(text) - end :]}"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
