"""A store in a viewer: the shell that carries camera moves in and layer updates out.

``session`` is what others see of it. Behind it: ``opening`` reads a store, ``attaching`` gives it a
layer, ``feed`` keeps the two and the controller together, ``turns`` and ``pulse`` drive them,
``budgeting`` and ``shared_budget`` say how much may be drawn, ``reloading`` follows writers,
``contents`` has objects and shapes, ``colouring`` the colours.
"""

from zv_viewer.session.opening import Opening
from zv_viewer.session.registry import session_of, sessions_in
from zv_viewer.session.session import StoreSession, open_store

__all__ = ["Opening", "StoreSession", "open_store", "session_of", "sessions_in"]
