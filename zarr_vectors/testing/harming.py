"""Whole stores of which one to four files are mutated, cut, swapped or gone, and reading them."""

from __future__ import annotations

import json
import re
import time
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zarr_vectors.exceptions import ZVError
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.feeding import MOST_BYTES, said_badly
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.mutate import Mutator

MOST_SECONDS = 5.0
ROOM = 2**29
"""Memory a process may grow by."""

Files = dict[str, bytes]
Parts = dict[tuple[Any, ...], Any]
"""What was read, by part; parts that were refused are not there."""
Look = Callable[[Path, Parts], Parts]
"""Everything that can be read of a folder, given the parts there are in the whole store."""


@dataclass
class Seed:
    """A whole store and what is in it."""

    name: str
    folder: Path
    files: Files
    truth: Parts = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))


Judge = Callable[[Seed, Parts, Iterable[str]], None]
"""Raises AssertionError where what was read cannot be, given the files that were harmed."""


def seed_of_kind(kind: str, version: str, folder: Path) -> Seed:
    """A small store of a kind of geometry, with a coarser level where it may have one."""
    shapes: dict[str, Any] = {"chunk_shape": (60.0,) * 3}
    if kind != "line":
        shapes["bin_shape"] = (30.0,) * 3
    make_store(kind, folder, format_version=version, seed=1, **shapes)
    if kind != "line":
        build_pyramid(folder, factors=[(2.0, 1.0)])
    return Seed(f"{version} {kind}", folder, read_files(folder))


def read_files(folder: Path) -> Files:
    """Everything below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put files below a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def harm(seed: Seed, draw: Mutator) -> dict[str, bytes | None]:
    """Files in place of those of the store; None where a file is gone."""
    names = sorted(seed.files)
    data = [name for name in names if is_data(name)]
    changed: dict[str, bytes | None] = {}
    for _ in range(1 + draw.below(4)):
        name = draw.pick(data if draw.below(2) else names)
        old = seed.files[name]
        kind = draw.below(8)
        if kind == 0:
            folder = f"{name.split('/c/')[0]}/"  # a blob of 0.7 goes with its document
            whole = [n for n in names if n.startswith(folder)] if draw.below(2) else []
            changed |= dict.fromkeys(whole if 0 < len(whole) < 3 else [name])
        elif kind == 1:
            changed[name] = old[: draw.below(len(old) + 1)]
        elif kind == 2:
            other = draw.pick(data if is_data(name) else names)
            changed[name], changed[other] = seed.files[other], old
        elif kind < 6 and not is_data(name):
            changed[name] = json.dumps(draw.json_of(json.loads(old))).encode()
        else:
            changed[name] = draw.bytes_of(old, seed.files[draw.pick(names)])
    return {name: new for name, new in changed.items() if new != seed.files[name]}


def roles(files: Mapping[str, bytes]) -> dict[str, str]:
    """One key of every role: families of files that differ by chunk or number alone."""
    found: dict[str, str] = {}
    for key in sorted(files):
        chunk = re.sub(r"(?<=/)[-+]?\d+(\.[-+]?\d+)+(_[-+.\d]+)?(?=/)", "N", key)
        found.setdefault(re.sub(r"/c/\d+(/\d+)*$", "/c", chunk), key)
    return found


def is_data(name: str) -> bool:
    """Stored values; all other files are documents."""
    return "/c/" in name


def guard(parts: Parts, part: tuple[Any, ...], read: Callable[[], Any]) -> None:
    """Read a part, unless it is refused by name.

    Raises:
        AssertionError: The refusal is no sentence.
    """
    try:
        parts[part] = read()
    except ZVError as error:
        fault = said_badly(error)
        if fault:
            raise AssertionError(fault) from error


@dataclass
class Tally:
    """What a run did."""

    stores: int = 0
    parts: int = 0
    refused: int = 0
    worst_seconds: float = 0.0
    worst_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.stores} stores, {self.parts} parts read, {self.refused} refused; worst "
            f"{self.worst_seconds * 1e3:.0f} ms, {self.worst_bytes / 2**20:.1f} MiB"
        )


class BadStoreError(Exception):
    """A store gave something else than it may."""


def try_store(
    seed: Seed,
    number: int,
    tally: Tally,
    look: Look,
    judge: Judge,
    *,
    closely: bool = False,
) -> None:
    """Harm a store, read it, judge, and make it whole again.

    Args:
        seed: The store.
        number: What harm.
        tally: Added to.
        look: Reads it.
        judge: Raises AssertionError where what was read cannot be, given the files harmed.
        closely: Measure memory too, which takes five times as long.

    Raises:
        BadStoreError: With the seed and what was harmed.
    """
    changed = harm(seed, Mutator(number))
    for name, data in changed.items():
        if data is None:
            (seed.folder / name).unlink()
        else:
            (seed.folder / name).write_bytes(data)
    peak = 0
    begun = time.thread_time()
    try:
        if closely:
            tracemalloc.start()
        found = look(seed.folder, seed.truth)
        judge(seed, found, changed)
        took = time.thread_time() - begun
        fault = f"{took:.1f} s" if took > MOST_SECONDS * (1 + 4 * closely) else ""
        if closely:
            peak = tracemalloc.get_traced_memory()[1]
            if peak > MOST_BYTES + 4 * seed.size:
                fault = f"{peak} bytes of memory"
    except Exception as error:
        raise BadStoreError(_told(seed, number, changed, error)) from error
    finally:
        tracemalloc.stop()
        write_files(seed.folder, {name: seed.files[name] for name in changed})
    if fault:
        raise BadStoreError(_told(seed, number, changed, fault))
    tally.stores += 1
    tally.parts += len(found)
    tally.refused += len(seed.truth.keys() - found.keys())
    if not closely:
        tally.worst_seconds = max(tally.worst_seconds, took)
    tally.worst_bytes = max(tally.worst_bytes, peak)


def plain(value: Any) -> Any:  # noqa: ANN401 - anything that was read
    """Answers as dicts and lists, which NumPy can compare."""
    if hasattr(value, "keys"):
        return {key: plain(value[key]) for key in value.keys()}  # noqa: SIM118 - an Answer
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _told(
    seed: Seed, number: int, changed: Mapping[str, bytes | None], fault: Exception | str
) -> str:
    shown = {name: None if data is None else data[:300] for name, data in changed.items()}
    what = fault if isinstance(fault, str) else f"{type(fault).__name__}: {str(fault)[:1000]}"
    return f"{seed.name}: {what}\nZV_SEED={number}, {shown}"
