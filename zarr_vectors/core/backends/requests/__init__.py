"""How requests are sent to places that are far away: how many, how often again, for how long.

``faults``, ``retrying``, ``deadlines``, ``concurrency``, ``ranges`` and ``versions`` decide and
know no clock;
``runner`` carries it out on the background loop; ``cancelling`` gives up from another thread.
"""

from zarr_vectors.core.backends.requests.cancelling import CancelScope
from zarr_vectors.core.backends.requests.concurrency import Window
from zarr_vectors.core.backends.requests.deadlines import Limits, Pace
from zarr_vectors.core.backends.requests.faults import CutShort, Fault, OutOfDate, fault_of
from zarr_vectors.core.backends.requests.ranges import Piece, gap_for, jobs_of, join
from zarr_vectors.core.backends.requests.request import Policy, Request, Tally
from zarr_vectors.core.backends.requests.retrying import Retrying
from zarr_vectors.core.backends.requests.runner import Requests
from zarr_vectors.core.backends.requests.versions import Version, Versions

__all__ = [
    "CancelScope",
    "CutShort",
    "Fault",
    "Limits",
    "OutOfDate",
    "Pace",
    "Piece",
    "Policy",
    "Request",
    "Requests",
    "Retrying",
    "Tally",
    "Version",
    "Versions",
    "Window",
    "fault_of",
    "gap_for",
    "jobs_of",
    "join",
]
