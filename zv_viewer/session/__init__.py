"""A store in a viewer: the shell that carries camera moves in and layer updates out."""

from zv_viewer.session.opening import Opening
from zv_viewer.session.registry import session_of, sessions_in
from zv_viewer.session.session import StoreSession, open_store

__all__ = ["Opening", "StoreSession", "open_store", "session_of", "sessions_in"]
