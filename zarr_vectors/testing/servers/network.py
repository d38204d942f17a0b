"""The network before a server of a test: how slow it is, which requests fail, and what was asked.

Pure: nothing here knows of servers. Which request fails depends on a seed and on what is asked, not
on the order in which threads ask, so a run can be repeated.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

KINDS = {
    "slow_down": "503 with the words of a bucket that wants fewer requests",
    "throttle": "429",
    "error": "500",
    "reset": "the connection is reset before anything is done",
    "lost": "the request is done, and the connection is reset before the answer",
    "half": "the connection is reset in the middle of the answer",
    "hang": "no answer for `hang_s` seconds, then the connection is reset",
    "no_range": "the whole object is answered where a range was asked for",
    "stale": "the answer this same request got before, where it is remembered",
}
"""Names of faults, and what each does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrives."""

    number: int
    """From 1 on, since the network was last cleared."""
    method: str
    path: str
    query: str = ""
    range: str = ""
    """The Range header, such as ``bytes=0-9``; empty where the whole is asked for."""
    again: int = 0
    """How often the same was asked before."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was answered, or was not."""

    asked: Asked
    status: int = 0
    """Of the answer; 0 where there was none."""
    fault: str = ""
    """Name of the fault, empty where there was none."""
    started: float = 0.0
    """Seconds of a steady clock."""
    ended: float = 0.0
    size: int = 0
    """Bytes of the answer's body."""

    @property
    def method(self) -> str:
        """The method."""
        return self.asked.method

    @property
    def path(self) -> str:
        """The path, decoded."""
        return self.asked.path

    @property
    def range(self) -> str:
        """The Range header; empty where the whole was asked for."""
        return self.asked.range


Rule: TypeAlias = Callable[[Asked], str]
"""Name of the fault of a request; empty where it goes through."""


def at_rate(
    rate: float,
    kinds: Sequence[str] = ("slow_down", "error", "reset", "half"),
    *,
    seed: int = 0,
    methods: Sequence[str] = (),
) -> Rule:
    """A share of all requests fails.

    Args:
        rate: From 0 to 1.
        kinds: Faults, each as often as any other; keys of :data:`KINDS`.
        seed: Other requests with each.
        methods: Of these methods only; of all where empty.
    """
    _known(kinds)

    def rule(asked: Asked) -> str:
        if methods and asked.method not in methods:
            return ""
        told = f"{seed} {asked.method} {asked.path} {asked.query} {asked.range} {asked.again}"
        dice = random.Random(told)  # noqa: S311 - faults need no secrecy
        return dice.choice(list(kinds)) if dice.random() < rate else ""

    return rule


def at_numbers(script: Mapping[int, str]) -> Rule:
    """The requests of these numbers fail."""
    _known(script.values())
    return lambda asked: script.get(asked.number, "")


def from_number(first: int, kind: str = "reset") -> Rule:
    """This request and all after it fail, until the rule is changed."""
    _known([kind])
    return lambda asked: kind if asked.number >= first else ""


def where(chosen: Callable[[Asked], bool], kind: str) -> Rule:
    """The requests a function chooses fail."""
    _known([kind])
    return lambda asked: kind if chosen(asked) else ""


@dataclass(slots=True, eq=False)
class Network:
    """Knobs of the way to a server, and a log; all may be turned while requests are under way.

    Attributes:
        latency_s: Seconds each request waits before anything is done; a function of it, or all
            the same.
        rule: Which requests fail; None for none.
        hang_s: How long a ``hang`` lasts, in seconds; it ends when the server does.
        remember: Keep answers, for ``stale``.
        requests: What was answered, in the order of the answers.
    """

    latency_s: float | Callable[[Asked], float] = 0.0
    rule: Rule | None = None
    hang_s: float = 30.0
    remember: bool = False
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    _number: int = 0
    _seen: Counter[tuple[str, ...]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clear(self) -> None:
        """Forget the log, start numbers from 1 again, and fail nothing any more."""
        with self._lock:
            self.rule = None
            self.latency_s = 0.0
            self._number = 0
            self._seen.clear()
            self.requests.clear()

    def arrive(self, asked: Asked) -> tuple[Asked, str]:
        """The request with its number, and its fault; empty for none."""
        what = (asked.method, asked.path, asked.query, asked.range)
        with self._lock:
            self._number += 1
            asked = replace(asked, number=self._number, again=self._seen[what])
            self._seen[what] += 1
            return asked, self.rule(asked) if self.rule else ""

    def note(self, request: Request) -> None:
        """Put an answered request into the log."""
        with self._lock:
            self.requests.append(request)

    @property
    def arrived(self) -> int:
        """How many requests have come, answered or not, since the network was last cleared."""
        return self._number

    def count(self, *methods: str) -> int:
        """How many requests were answered; of some methods only where given."""
        with self._lock:
            return sum(not methods or request.method in methods for request in self.requests)

    def delay(self, asked: Asked) -> None:
        """Wait as long as a request has to."""
        self.wait(self.latency_s(asked) if callable(self.latency_s) else self.latency_s)

    def wait(self, seconds: float) -> None:
        """Wait, or until the server ends."""
        if seconds > 0:
            self.closing.wait(seconds)


def _known(kinds: object) -> None:
    unknown = set(kinds) - set(KINDS)  # type: ignore[call-overload]
    if unknown:
        raise ValueError(f"faults are {', '.join(KINDS)}, not {', '.join(sorted(unknown))}")
