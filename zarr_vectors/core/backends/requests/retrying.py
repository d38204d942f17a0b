"""Whether and when a failed request is sent again: waits grow, and chance spreads them."""

from __future__ import annotations

from dataclasses import dataclass

from zarr_vectors.core.backends.requests.faults import Fault


@dataclass(frozen=True, slots=True)
class Retrying:
    """How patient a request is.

    Attributes:
        tries: Times a request is sent at most.
        tries_offline: The same where no connection could be made.
        first_s: Longest wait after the first failure, in seconds; doubled with each further one.
        most_s: Longest wait of all.
        most_asked_s: Longest wait that a server may ask for.
    """

    tries: int = 7
    tries_offline: int = 4
    first_s: float = 0.1
    most_s: float = 5.0
    most_asked_s: float = 20.0

    def wait(self, failed: int, fault: Fault, draw: float, left_s: float) -> float | None:
        """Seconds to wait before the next try; None to give up.

        The wait is a fair draw from none to the longest ("full jitter"), so that many clients that
        failed together do not come back together. What a server asked for is waited for in full.

        Args:
            failed: Tries that failed so far, from 1 on.
            fault: How the last one did.
            draw: Chance, from 0 up to 1.
            left_s: Seconds until the request's deadline.
        """
        tries = self.tries_offline if fault.trouble == "offline" else self.tries
        if failed >= tries:
            return None
        longest = min(self.most_s, self.first_s * 2.0 ** (failed - 1))
        wait = draw * longest
        if fault.after_s is not None:
            if fault.after_s > self.most_asked_s:
                return None
            wait += fault.after_s
        return wait if wait < left_s else None
