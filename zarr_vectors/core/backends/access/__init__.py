"""Who asks a bucket: which credentials are tried, in which order, and what is said when none do.

Pure but for :mod:`.facts`, which looks around on this machine, and :mod:`.region`, which asks one
question of a bucket.
"""

from zarr_vectors.core.backends.access.attempts import CHOICES, Attempt, attempts
from zarr_vectors.core.backends.access.facts import facts_for
from zarr_vectors.core.backends.access.options import Given, given_in
from zarr_vectors.core.backends.access.refusals import Refusal, refusal_of, refused
from zarr_vectors.core.backends.access.sources import Facts, Source

__all__ = [
    "CHOICES",
    "Attempt",
    "Facts",
    "Given",
    "Refusal",
    "Source",
    "attempts",
    "facts_for",
    "given_in",
    "refusal_of",
    "refused",
]
