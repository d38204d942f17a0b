"""Write operations that are there altogether or not at all, kept by a journal of old bytes.

A transaction first creates a head in the store, which also keeps other writers out; before it
changes a key for the first time, it saves what the key held in a segment beside the head; removing
the head commits. Whoever opens the store for writing after a writer was killed puts the old bytes
back first; whoever opens it for reading meanwhile reads through the journal.

Use :meth:`zarr_vectors.core.handle.StoreHandle.transaction` for a store that is there, and
:func:`zarr_vectors.core.handle.creating` for a new one.
"""

from zarr_vectors.core.journal.leases import hold, holder, refusal, release, take_over
from zarr_vectors.core.journal.owners import is_gone
from zarr_vectors.core.journal.reading import ReadThrough
from zarr_vectors.core.journal.records import FOLDER, HEAD, Record
from zarr_vectors.core.journal.undo import identified, level_lease, recover, settle
from zarr_vectors.core.journal.writing import Writing, check_vacant, joined, saving, transaction

__all__ = [
    "FOLDER",
    "HEAD",
    "ReadThrough",
    "Record",
    "Writing",
    "check_vacant",
    "hold",
    "holder",
    "identified",
    "is_gone",
    "joined",
    "level_lease",
    "recover",
    "refusal",
    "release",
    "saving",
    "settle",
    "take_over",
    "transaction",
]
