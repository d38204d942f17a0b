"""What has changed of the stores of a view since it was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zv_viewer.model.fingerprint import Fingerprint, changes, rewritten
from zv_viewer.session import StoreSession
from zv_viewer.state.document import ViewFile
from zv_viewer.views.places import same_place


@dataclass(frozen=True, slots=True)
class Changed:
    """Sentences about stores that say something else now, and about those written again."""

    changed: tuple[str, ...]
    rewritten: tuple[str, ...]


def what_changed(
    view: ViewFile, sessions: Sequence[StoreSession], now: Sequence[Fingerprint | None]
) -> Changed:
    """Compare stores with what they were.

    Args:
        view: Saved.
        sessions: Of its layers, in its order.
        now: What each store is; None where it cannot tell.
    """
    found, notes = [], []
    for session, layer, printed in zip(sessions, view.layers, now, strict=True):
        if printed is None:
            continue
        path = session.path
        changed = changes(layer.fingerprint, printed)
        if changed:
            found.append(f"{path} has changed since the view was saved: {', '.join(changed)}")
        elif rewritten(layer.fingerprint, printed) and is_at(session, layer.url):
            notes.append(
                f"{path} was written to after the view was saved, though its metadata says the same"
            )
    return Changed(tuple(found), tuple(notes))


def is_at(session: StoreSession, address: str) -> bool:
    """Whether a session shows the store of an address, as far as addresses tell."""
    return same_place(session.path if session.scene is None else session.scene.url, address)
