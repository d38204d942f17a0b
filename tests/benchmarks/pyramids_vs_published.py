"""Pyramids side by side with those of the published releases, at the same number of vertices.

Each set is written once, the published release builds three levels in a copy, and here as many are
built in another with ``vertices=`` what theirs have; ``zv-view qa`` measures both. ``ZV_TEST_DATA``
names a folder of real data; without it, scenes of the tests are taken. ``ZV_PEER_07`` and
``ZV_PEER_09`` name the interpreters of the published releases; ``--alone`` compares with levels
made here by ``factors=``.

Distances are from level 0, of all objects that are kept: of points to vertices; of all else to
edges and faces, or vertices where these are nearer. Of lines, the published releases store vertices
once that several lines go through: ``drawn`` counts them for each of their lines, ``stored`` once.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.report import Distances, LevelMeasures
from zv_viewer.qa.shapes import to_links
from zv_viewer.testing.pyramid_scenes import a_scene, write_scene

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROGRAM = Path(__file__).parent / "programs" / "build_published.py"
PEERS = {"0.7.0": ("0.2.0", "ZV_PEER_07"), "0.9.2": ("0.9.2", "ZV_PEER_09")}
FACTORS = {"0.7.0": (1, 2, 4), "0.9.2": (1, 2, 2)}
"""Of bins; to those of level 0 in the older release, to those of the level before in the newer."""
FILES = {
    "lidar": "lidar/*.laz",
    "synapses": "neurons/synapses/*.csv",
    "tracts": "tracts/*.trk",
    "skeletons": "neurons/swc/*.swc",
    "meshes": "neurons/ply/*.ply",
}
LINES = "tracts", "streamline"
Writer = Callable[[Path, str], None]


def real(folder: Path, name: str) -> Writer:
    """Writes a set of real data as the example of its kind does, without levels."""
    files = [str(path) for path in sorted(folder.glob(FILES[name]))]

    def write(place: Path, version: str) -> None:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None and spec.loader is not None  # noqa: PT018
        example: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(example)
        example.build_pyramid = lambda *args, **options: None
        for writer in ("write_points", "write_polylines", "write_graph", "write_mesh"):
            if hasattr(example, writer):
                own = partial(getattr(example, writer), format_version=version)
                setattr(example, writer, partial(near_0, own) if name == "lidar" else own)
        source = [*files, str(place)] if name in ("lidar", "tracts") else [str(place), *files]
        example.convert(*source)

    return write


def near_0(write: Callable[..., None], place: str, positions: FloatArray, **options: Any) -> None:
    """Write points moved to 0, as float32: the published builders know no other dtype."""
    write(place, positions - positions.min(axis=0), **{**options, "dtype": "float32"})


def made(kind: str, size: float) -> Writer:
    """Writes a scene of the tests."""
    return lambda place, version: write_scene(a_scene(kind, size=size), place, version)


def counts(store: ZVStore, level: int) -> tuple[int, int]:
    """Vertices stored, and vertices drawn: of every line its own."""
    stored = store.vertex_count(level)
    if not set(store.geometry_types) & {"polyline", "streamline"}:
        return stored, stored
    return stored, sum(len(line) for line in store[level].polylines.compute())


def shape_of(store: ZVStore, level: int) -> tuple[FloatArray, IntArray]:
    """Vertices of a level, and its links."""
    chunks = [tuple(chunk) for chunk in store[level].chunk_table.coords.tolist()]
    rows = store[level].read_linked_chunks(chunks)
    return rows.positions, rows.links


def p95_of_all(store: ZVStore, level: int) -> float:
    """95 % of level 0, of objects left out too, are at most this far from the level."""
    finest, _ = shape_of(store, 0)
    positions, links = shape_of(store, level)
    known = np.asarray(cKDTree(positions).query(finest)[0])
    return float(np.percentile(to_links(finest, positions, links, known), 95))


def measured(place: Path) -> dict[int, LevelMeasures]:
    """Level -> what was measured."""
    with open_zv(str(place)) as store:
        return {level.level: level for level in inspect_store(store).levels[1:]}


def away(level: LevelMeasures) -> Distances:
    """From level 0 to what is drawn."""
    found = level.shape_to_level or level.to_level
    assert found is not None
    return found


def back(level: LevelMeasures) -> Distances:
    """From what is drawn to level 0; from the vertices where the level has nothing else."""
    found = level.shape_to_finest or level.to_finest
    assert found is not None
    return found


def row(
    name: str, level: int, numbers: tuple[int, int], errors: tuple[float, float], more: str
) -> str:
    """A row of the table."""
    theirs, ours = errors
    return (
        f"| {name} | {level} | {numbers[0]:,} / {numbers[1]:,} | {theirs:.4g} | {ours:.4g} | "
        f"{theirs / ours:.2f}x | {more} |"
    )


def compare(name: str, write: Writer, version: str, python: str | None, folder: Path) -> None:
    """Build both pyramids of a set and print its rows."""
    finest, theirs, ours = (folder / part for part in ("finest", "theirs", "ours"))
    write(finest, version)
    shutil.copytree(finest, theirs)
    if python is None:
        build_pyramid(theirs, factors=FACTORS["0.9.2"], sparsity_seed=0)
    else:
        command = [python, str(PROGRAM), str(theirs), json.dumps(FACTORS[version])]
        subprocess.run(command, check=True, capture_output=True)
    with open_zv(str(theirs)) as store:
        wanted = [counts(store, level) for level in store.levels[1:]]
    for which in (1, 0) if name in LINES else (1,):
        shutil.copytree(finest, ours)
        build_pyramid(
            ours,
            vertices=[count[which] for count in wanted],
            sparsity_strategy="spatial_coverage",
            sparsity_seed=0,
        )
        label = name if name not in LINES else f"{name}, {('stored', 'drawn')[which]}"
        report(label, theirs, ours, [count[which] for count in wanted], everything=not which)
        shutil.rmtree(ours)


def report(name: str, theirs: Path, ours: Path, wanted: list[int], *, everything: bool) -> None:
    """Print the rows of a set.

    Args:
        name: Of the set.
        theirs: The store with the levels of the published release.
        ours: The one with those made here.
        wanted: Vertices that each level was to have.
        everything: Measure from all of level 0, objects that were left out too.
    """
    both = measured(theirs), measured(ours)
    stores = open_zv(str(theirs)), open_zv(str(ours))
    for number, want in enumerate(wanted, 1):
        first, second = (found[number] for found in both)
        errors = away(first).p95, away(second).p95
        if everything:
            errors = p95_of_all(stores[0], number), p95_of_all(stores[1], number)
        more = f"{back(first).p95:.4g} / {back(second).p95:.4g}"
        print(row(name, number, (want, second.vertices), errors, more), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alone", action="store_true", help="without the published releases")
    parser.add_argument("--formats", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--size", type=float, default=1.0, help="of the scenes")
    parser.add_argument("--scenes", action="store_true", help="even where there is real data")
    args = parser.parse_args()
    data = None if args.scenes else os.environ.get("ZV_TEST_DATA")
    sets: dict[str, Writer] = {}
    if data is not None:
        sets = {name: real(Path(data), name) for name in FILES}
    else:
        kinds = ("points", "objects", "streamline", "skeleton", "mesh")
        sets = {kind: made(kind, args.size) for kind in kinds}
    warnings.simplefilter("ignore", ZVWarning)
    print(
        "| set | level | vertices, published / here | p95 published | here | nearer | back, p95 |\n"
        "|---|---|---|---|---|---|---|"
    )
    for version in args.formats:
        release, variable = PEERS[version]
        peer = None if args.alone else os.environ.get(variable)
        if peer is None and not args.alone:
            continue
        print(f"| **{release if peer else 'bins'}, format {version}** | | | | | | |")
        for name, write in sets.items():
            with tempfile.TemporaryDirectory() as folder:
                compare(name, write, version, peer, Path(folder))


if __name__ == "__main__":
    main()
