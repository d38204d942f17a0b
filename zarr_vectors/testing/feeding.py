"""Decoders fed valid inputs made hostile: a named error or a sane answer, in no time.

Limits of one input: a second, and 64 MB and 4 times its size of memory.
"""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zarr_vectors.exceptions import ZVError
from zarr_vectors.testing.mutate import Mutator

MOST_SECONDS = 1.0
MOST_BYTES = 64 * 2**20
BLOCK = 256
ROOM = 2**28
"""Memory a process may grow by while a block runs; every 16th block is looked at closely."""


@dataclass(frozen=True)
class Decoder:
    """What is fed: valid inputs, and what decodes one and looks at the answer."""

    name: str
    valid: Sequence[Any]
    decode: Callable[[Any], object]
    """Raises a ZVError, or AssertionError where the answer is not sane."""
    block: int = BLOCK
    """Inputs of a block: fewer where one takes long."""

    def inputs(self, seed: int) -> list[Any]:
        """A block of mutated inputs."""
        make = Mutator(seed, zlib.crc32(self.name.encode()))
        found = []
        for _ in range(self.block):
            one = make.pick(self.valid)
            if isinstance(one, bytes):
                found.append(make.bytes_of(one, make.pick(self.valid)))
            else:
                found.append(make.json_of(one))
        return found


@dataclass
class Tally:
    """What a run did."""

    inputs: int = 0
    refused: int = 0
    worst_seconds: float = 0.0
    worst_bytes: int = 0
    slowest: str = ""
    largest: str = ""

    def __str__(self) -> str:
        return (
            f"{self.inputs} inputs, {self.refused} refused; worst {self.worst_seconds * 1e3:.1f} ms"
            f" ({self.slowest}), {self.worst_bytes / 2**20:.1f} MiB ({self.largest})"
        )


class BadAnswerError(Exception):
    """An input got something else than a named error or a sane answer, or took too much."""


def run_block(decoder: Decoder, seed: int, tally: Tally, *, closely: bool) -> None:
    """Feed one block of mutated inputs."""
    feed(decoder, decoder.inputs(seed), seed, tally, closely=closely)


def feed(
    decoder: Decoder,
    inputs: Sequence[Any],
    seed: int,
    tally: Tally,
    *,
    closely: bool,
    most_seconds: float = MOST_SECONDS,
) -> None:
    """Feed inputs.

    Args:
        decoder: What is fed.
        inputs: What with.
        seed: Where they come from, for messages.
        tally: Added to.
        closely: Measure memory too, which takes five times as long.
        most_seconds: Of one input.

    Raises:
        BadAnswerError: With the seed and the input.
    """
    decode, clock = decoder.decode, time.thread_time  # of this thread: others may be busy
    limit = 5 * most_seconds if closely else most_seconds
    for number, value in enumerate(inputs):
        peak = 0
        if closely:
            tracemalloc.start()
        begun = clock()
        fault = ""
        try:
            decode(value)
        except ZVError as error:
            tally.refused += 1
            fault = said_badly(error)
        except Exception as error:  # noqa: BLE001 - any other is what is looked for
            fault = f"{type(error).__name__}: {error}"
        took = clock() - begun
        if closely:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        tally.inputs += 1
        if took > tally.worst_seconds and not closely:
            tally.worst_seconds, tally.slowest = took, decoder.name
        if peak > tally.worst_bytes:
            tally.worst_bytes, tally.largest = peak, decoder.name
        if took > limit:  # a busy machine is slow now and then, not twice
            begun = clock()
            with contextlib.suppress(ZVError):
                decode(value)
            took = min(took, clock() - begun)
        if took > limit:
            fault = f"{took:.2f} s"
        if peak > MOST_BYTES + 4 * _size_of(value):
            fault = f"{peak} bytes of memory"
        if fault:
            raise BadAnswerError(
                f"{decoder.name}: {fault[:500]}\nZV_SEED={seed}, input {number}: {_shown(value)}"
            )


def said_badly(error: ZVError) -> str:
    """What is wrong with the words of an error: none, too many, or what a terminal obeys."""
    text = str(error)
    if not text.strip():
        return "an error without a word"
    if len(text) > MOST_CHARACTERS:
        return f"an error of {len(text)} characters: {text[:200]}"
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        return f"an error with control characters: {text[:200]!r}"
    return ""


MOST_CHARACTERS = 1500
"""Of an error: a sentence, with the names in it cut."""


def _shown(value: Any) -> str:  # noqa: ANN401 - bytes or JSON
    return value.hex()[:2000] if isinstance(value, bytes) else repr(value)[:2000]


def _size_of(value: Any) -> int:  # noqa: ANN401 - bytes or JSON
    return len(value) if isinstance(value, bytes) else len(json.dumps(value))
