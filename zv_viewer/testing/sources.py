"""Point clouds in memory that behave as stores do: levels of averaged bins, chunks, faults."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError, StoreError
from zv_viewer.model.scene import AttributeInfo, LevelInfo, SceneInfo
from zv_viewer.sources.base import Network, RawCell

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

CATEGORIES = ("one", "two", "three")


@dataclass(frozen=True, eq=False, slots=True)
class CloudLevel:
    """Vertices of a level, sorted by chunk."""

    info: LevelInfo
    positions: Float
    values: dict[str, npt.NDArray[np.generic]]
    start: Int

    def rows_of(self, chunk: Sequence[int]) -> slice:
        """The rows of one chunk."""
        found = np.flatnonzero((self.info.chunks == np.asarray(chunk)).all(axis=1))
        if not len(found):
            raise StoreError(f"level {self.info.index} has no chunk {tuple(chunk)}")
        return slice(int(self.start[found[0]]), int(self.start[found[0] + 1]))


class Uncut(nullcontext[None]):
    """A scope of reads that cannot be given up."""

    def cancel(self) -> None:
        """Let them end by themselves."""


@dataclass(eq=False)
class CloudSource:
    """A ``ChunkSource`` over arrays, which counts what is asked of it.

    Attributes:
        broken: Called with level and chunk before each read of a chunk; True: it is damaged.
        closed: Whether :meth:`close` was called.
    """

    scene: SceneInfo
    levels: dict[int, CloudLevel]
    broken: Callable[[int, tuple[int, ...]], bool] = field(default=lambda level, chunk: False)
    closed: bool = False

    def describe(self) -> SceneInfo:
        """The scene."""
        return self.scene

    def read(self, level: int, chunks: Int, attributes: Sequence[str] = ()) -> RawCell:
        """Chunks, chunk after chunk; eight bytes a number, one request a chunk."""
        rows = self._rows(level, chunks)
        here = self.levels[level]
        positions = here.positions[rows]
        values = {name: here.values[name][rows] for name in attributes}
        nbytes = positions.nbytes + sum(v.nbytes for v in values.values())
        return RawCell(positions, values, nbytes, len(chunks))

    def read_values(
        self, level: int, chunks: Int, attribute: str
    ) -> tuple[npt.NDArray[np.generic], int, int]:
        """Values of one attribute."""
        values = self.levels[level].values[attribute][self._rows(level, chunks)]
        return values, values.nbytes, len(chunks)

    def network(self) -> Network:
        """There is none."""
        return Network()

    def scope(self) -> Uncut:
        """One that ends nothing: reads take no time."""
        return Uncut()

    def close(self) -> None:
        """Remember that it was called."""
        self.closed = True

    def _rows(self, level: int, chunks: Int) -> Int:
        parts = [np.empty(0, np.int64)]
        for chunk in chunks.tolist():
            if self.broken(level, tuple(chunk)):
                raise ArrayError(
                    f"chunk {tuple(chunk)} of vertices of level {level} of {self.scene.url} is cut",
                    array="vertices",
                    chunk=tuple(chunk),
                )
            part = self.levels[level].rows_of(chunk)
            parts.append(np.arange(part.start, part.stop))
        return np.concatenate(parts)


def make_cloud(
    n: int = 4000,
    levels: int = 3,
    seed: int = 0,
    *,
    ndim: int = 3,
    chunks: int = 8,
    bins_per_chunk: int = 2,
    size: float = 64.0,
    clumped: bool = False,
    counts_exact: bool = True,
    limits: bool = True,
) -> CloudSource:
    """A cloud and its pyramid.

    Args:
        n: Vertices of level 0.
        levels: Levels; each averages bins twice as large as the one before.
        seed: Of the positions.
        ndim: Axes.
        chunks: Chunks per axis at level 0.
        bins_per_chunk: Bins per chunk and axis, at every level.
        size: Edge of the cube.
        clumped: Crowd around a few places instead of filling the cube.
        counts_exact: Whether the scene says how many vertices each chunk has, or only the mean.
        limits: Whether the scene records the range of the attribute.
    """
    rng = np.random.default_rng(seed)
    positions = rng.random((n, ndim)) * size
    if clumped:
        middles = rng.random((5, ndim)) * size
        positions = middles[rng.integers(0, 5, n)] + rng.normal(0, size / 16, (n, ndim))
        positions = np.clip(positions, 0, np.nextafter(size, 0))
    height = positions.sum(axis=1).astype(np.float32)
    kind = rng.integers(0, len(CATEGORIES), n).astype(np.int16)
    chunk = np.full(ndim, size / chunks)
    built: dict[int, CloudLevel] = {}
    finest, parent = positions, np.arange(n)
    for number in range(levels):
        bins = chunk / bins_per_chunk
        if number:
            index = np.floor(positions / bins).astype(np.int64)
            _, owner = np.unique(index, axis=0, return_inverse=True)
            owner = owner.reshape(-1)
            count = np.bincount(owner)
            mean = [np.bincount(owner, column) / count for column in positions.T]
            positions = np.stack(mean, axis=1)
            height = (np.bincount(owner, height) / count).astype(np.float32)
            first = np.unique(owner, return_index=True)[1]
            kind = kind[first]
            parent = owner[parent]
        away = np.linalg.norm(finest - positions[parent], axis=1)
        error = float(np.percentile(away, 95)) if number else 0.0
        values: dict[str, npt.NDArray[np.generic]] = {"height": height, "kind": kind}
        built[number] = cloud_level(number, positions, values, chunk, bins, error, counts_exact)
        chunk = chunk * 2
    return CloudSource(cloud_scene(f"cloud-{seed}", built, size, limits=limits), built)


def cloud_scene(
    name: str, levels: dict[int, CloudLevel], size: float, *, limits: bool = True
) -> SceneInfo:
    """The scene of points in a cube, of vertices with ``height`` and ``kind``."""
    known = levels[0].values["height"].astype(np.float64)
    ndim = levels[0].positions.shape[1]
    return SceneInfo(
        url=f"memory://{name}",
        name=name,
        format_version="0.7.0",
        geometry="point_cloud",
        axis_names=tuple("tzyx"[-ndim:]),
        axis_units=(None,) * ndim,
        bounds=np.array([[0.0] * ndim, [size] * ndim]),
        levels=tuple(level.info for level in levels.values()),
        attributes=(
            AttributeInfo(
                "height",
                "float32",
                limits=(float(known.min()), float(known.max())) if limits else None,
            ),
            AttributeInfo("kind", "int16", categories=CATEGORIES),
        ),
        bytes_per_vertex=8.0 * ndim,
    )


def broken_by_chance(
    share: float, seed: int, *, spare: int
) -> Callable[[int, tuple[int, ...]], bool]:
    """Damage this share of all chunks, always the same ones, but none of level ``spare``."""

    def broken(level: int, chunk: tuple[int, ...]) -> bool:
        if level == spare:
            return False
        digest = hashlib.sha256(repr((seed, level, chunk)).encode()).digest()
        return int.from_bytes(digest[:4], "little") < share * 2**32

    return broken


def cloud_level(
    number: int,
    positions: Float,
    values: dict[str, npt.NDArray[np.generic]],
    chunk: Float,
    bins: Float,
    error: float,
    counts_exact: bool,
) -> CloudLevel:
    """A level of these vertices, sorted by chunk; those of a chunk keep their order."""
    index = np.floor(positions / chunk).astype(np.int64)
    chunks, owner = np.unique(index, axis=0, return_inverse=True)
    owner = owner.reshape(-1)
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(chunks)).astype(np.int64)
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    info = LevelInfo(
        index=number,
        chunk_shape=chunk,
        bin_shape=bins,
        chunks=chunks,
        counts=counts,
        counts_exact=True,
        error=error,
        error_source="stored",
    )
    if not counts_exact:
        mean = np.full(len(chunks), round(counts.mean()), np.int64)
        info = replace(info, counts=mean, counts_exact=False)
    return CloudLevel(info, positions[order], {k: v[order] for k, v in values.items()}, start)
