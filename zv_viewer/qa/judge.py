"""Evidence -> findings: what is wrong, where, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zarr_vectors.core.paths import format_chunk
from zarr_vectors.typing import ChunkCoords, FloatArray, IntArray
from zv_viewer.qa import fixes
from zv_viewer.qa.density import biased
from zv_viewer.qa.evidence import Evidence
from zv_viewer.qa.judge_objects import object_findings
from zv_viewer.qa.links import beside_lost, walls_crossed
from zv_viewer.qa.report import Finding, Kind, Where

MOST = 100
"""Findings of one kind at one level that are told one by one; the others are counted."""
_SCATTERED = 0.1
"""Share of a chunk's bins that are lost here and there from which the level is thinned there."""
_USELESS = 1.5
"""How many times fewer vertices than the level before it a level has at least."""


_ONE = {
    "vertices": "vertex of level 0 in the same bin",
    "edges": "edge of level 0 between the same bins",
    "faces": "face of level 0 between the same bins",
}


def findings(levels: Sequence[Evidence], store: str, geometry: str) -> list[Finding]:
    """All findings about a store's levels but for those about viewing.

    Args:
        levels: Evidence of every level, finest first.
        store: Its address, for commands.
        geometry: Its kind.
    """
    found: list[Finding] = []
    for number, level in enumerate(levels):
        fix = fixes.restore(store) if level.level == 0 else fixes.rebuild(store, level.level)
        own = list(_damage(level, fix))
        if number:
            own += _coarse(level, fix, geometry)
            own += _useless(levels[number - 1], level, store)
        else:
            own += _flat_faces(level, fix)
        if level.objects is not None:
            own += object_findings(level.level, level.objects, fix)
        found += _few(own, fix)
    return found


def _coarse(level: Evidence, fix: str, geometry: str) -> Iterator[Finding]:
    yield from _missing(level, fix)
    if level.shift is not None:
        yield _shifted(level, level.shift, fix)
        return
    yield from _outside(level, fix)
    yield from _duplicates(level, fix)
    yield from _links(level, fix, geometry)
    yield from _joints(level, fix)
    yield from _holes_and_density(level, fix)
    yield from _far(level, fix)
    yield from _wrong(level, fix)
    yield from _flat_faces(level, fix)


def _damage(level: Evidence, fix: str) -> Iterator[Finding]:
    for chunk, message in level.damaged.items():
        where = Where(chunk=chunk, position=_middle(chunk, level.chunk_shape))
        yield Finding("damaged_chunk", level.level, where, _sentence(message), fix)
    for message in level.troubles:
        yield Finding("damaged_chunk", level.level, Where(), _sentence(message), fix)
    for chunk, (recorded, there) in level.miscounted.items():
        where = Where(chunk=chunk, position=_middle(chunk, level.chunk_shape))
        text = (
            f"chunk {format_chunk(chunk)} of level {level.level} holds {there:,} vertices; "
            f"{recorded:,} are recorded"
        )
        yield Finding("damaged_chunk", level.level, where, text, fix)
    if level.level == 0:
        yield from _outside(level, fix)


def _outside(level: Evidence, fix: str) -> Iterator[Finding]:
    for chunk, count in level.outside.items():
        where = Where(chunk=chunk, position=_middle(chunk, level.chunk_shape))
        text = (
            f"{count:,} vertices in chunk {format_chunk(chunk)} of level {level.level} lie outside "
            "of the chunk's box"
        )
        yield Finding("damaged_chunk", level.level, where, text, fix)


def _missing(level: Evidence, fix: str) -> Iterator[Finding]:
    for name in level.missing:
        text = f"level {level.level} lacks the attribute {name!r}, which level 0 has"
        yield Finding("missing_attribute", level.level, Where(attribute=name), text, fix)


def _shifted(level: Evidence, shift: FloatArray, fix: str) -> Finding:
    by = ", ".join(f"{value:.4g}" for value in shift)
    far = float(np.linalg.norm(shift))
    return Finding(
        "shifted_level",
        level.level,
        Where(),
        f"level {level.level} lies {far:.4g} world units beside level 0: it is shifted by ({by})",
        fix,
    )


def _duplicates(level: Evidence, fix: str) -> Iterator[Finding]:
    places = level.duplicates
    if places is None:
        return
    for chunk, rows in _by_chunk(places.positions, level.chunk_shape):
        where = Where(chunk=chunk, position=_tuple(places.positions[rows[0]]))
        text = (
            f"{len(rows):,} vertices in chunk {format_chunk(chunk)} of level {level.level} are "
            "there already"
        )
        yield Finding("duplicate", level.level, where, text, fix)


def _flat_faces(level: Evidence, fix: str) -> Iterator[Finding]:
    places = level.degenerate
    if places is None:
        return
    for chunk, rows in _by_chunk(places.positions, level.chunk_shape):
        own = int(places.objects[rows[0]])
        where = Where(
            chunk=chunk,
            object=own if own >= 0 else None,
            position=_tuple(places.positions[rows[0]]),
        )
        text = (
            f"{len(rows):,} faces in chunk {format_chunk(chunk)} of level {level.level} have a "
            "corner twice"
        )
        yield Finding("degenerate_face", level.level, where, text, fix)


def _links(level: Evidence, fix: str, geometry: str) -> Iterator[Finding]:
    """Links lost across chunk walls, then those lost inside of chunks."""
    links = level.lost_links
    if links is None or not len(links) or not level.strict:
        return
    if len(level.lost.keys):
        links = links.take(~beside_lost(links, level.lost.keys))
    across, chunks, middles = walls_crossed(links, level.bin_shape, level.chunk_shape)
    faces = links.bins.shape[1] > 2
    word = "faces" if faces else "edges"
    inside: Kind = "hole" if faces else "disconnected"
    for seam in (True, False):
        own = np.flatnonzero(across == seam)
        for chunk, rows in _grouped(chunks[own]):
            picked = own[rows]
            place = "across the walls of" if seam else "inside of"
            text = (
                f"{len(picked):,} {word} of level 0 {place} chunk {format_chunk(chunk)} are "
                f"missing at level {level.level} of the {geometry}, where both ends are there"
            )
            where = _where(chunk, links.objects[picked[0]], middles[picked[0]])
            yield Finding("broken_seam" if seam else inside, level.level, where, text, fix)


def _joints(level: Evidence, fix: str) -> Iterator[Finding]:
    joints = level.joints
    if joints is None:
        return
    for chunk, rows in _grouped(joints.chunks):
        text = (
            f"{len(rows):,} paths leave chunk {format_chunk(chunk)} of level {level.level} where "
            "no link says so"
        )
        middle = np.asarray(_middle(chunk, level.chunk_shape))
        where = _where(chunk, joints.objects[rows[0]], middle)
        yield Finding("broken_seam", level.level, where, text, fix)


def _holes_and_density(level: Evidence, fix: str) -> Iterator[Finding]:
    cells = level.cells
    odd = biased(cells, strict=level.strict)
    thinned = set()
    ratio = odd.density
    share = _lost_share(level)
    for row in odd.rows:
        chunk = _chunk(cells.coords[row])
        few = ratio[row] < 1
        if few and share.get(chunk, (1.0, 1.0, 0))[0] >= 0.98:
            continue  # nothing is left there: a hole
        if few and not _is_scattered(share.get(chunk)):
            continue
        thinned.add(chunk)
        where = Where(chunk=chunk, position=_middle(chunk, level.chunk_shape))
        text = (
            f"chunk {format_chunk(chunk)} of level {level.level} has {ratio[row]:.2g} times the "
            "vertices that it would have were the level thinned as elsewhere"
        )
        yield Finding("density_bias", level.level, where, text, fix)
    for chunk, (part, _, first) in share.items():
        if chunk in thinned:
            continue
        key = level.lost.keys[first]
        where = _where(chunk, key[0], (key[1:] + 0.5) * np.asarray(level.bin_shape))
        row = int(np.flatnonzero((cells.coords == chunk).all(axis=1))[0])
        text = (
            f"{int(cells.counts['lost'][row]):,} of {int(cells.counts['expected'][row]):,} bins "
            f"({part:.1%}) that level 0 occupies in chunk {format_chunk(chunk)} are empty at level "
            f"{level.level}"
        )
        yield Finding("hole", level.level, where, text, fix)


def _far(level: Evidence, fix: str) -> Iterator[Finding]:
    far = level.far
    if far is None:
        return
    for chunk, rows in _by_chunk(far.positions, level.chunk_shape):
        if chunk in level.damaged and chunk not in level.absent:
            continue  # told already
        worst = rows[int(np.argmax(far.distances[rows]))]
        where = Where(chunk=chunk, position=_tuple(far.positions[worst]))
        text = (
            f"level 0 is up to {far.distances[worst]:.4g} world units away from level "
            f"{level.level} in chunk {format_chunk(chunk)}; the level says at most {far.most:.4g}"
        )
        yield Finding("hole", level.level, where, text, fix)


def _lost_share(level: Evidence) -> dict[ChunkCoords, tuple[float, float, int]]:
    """Chunk -> (share of its bins that are lost, mean crowding of these, one that is crowded)."""
    lost = level.lost
    if not len(lost.keys) or not level.strict:
        return {}
    centres = (lost.keys[:, 1:] + 0.5) * np.asarray(level.bin_shape)
    totals = {
        _chunk(coords): int(count)
        for coords, count in zip(
            level.cells.coords, level.cells.counts["expected"].tolist(), strict=True
        )
    }
    found = {}
    for chunk, rows in _by_chunk(centres, level.chunk_shape):
        if chunk in level.damaged and chunk not in level.absent:
            continue  # told already
        crowds = np.nan_to_num(lost.crowding[rows])
        best = int(rows[int(np.argmax(crowds))])
        part = len(rows) / max(totals.get(chunk, 0), 1)
        found[chunk] = part, float(crowds.mean()), best
    return found


def _is_scattered(share: tuple[float, float, int] | None) -> bool:
    """Whether bins are lost here and there, as by thinning, and not in one place."""
    if share is None:
        return True  # fewer vertices, and every bin has one
    part, crowding, _ = share
    return part >= _SCATTERED and crowding <= 1.5 * part


def _wrong(level: Evidence, fix: str) -> Iterator[Finding]:
    for entry in level.wrong:
        if not len(entry.bins) or not level.strict:
            continue
        chunks = list(_grouped(entry.chunks))
        chunks.sort(key=lambda pair: -len(pair[1]))
        chunk, rows = chunks[0]
        local = len(chunks) <= max(1, len(level.cells.coords) // 2)
        position = (entry.bins[rows[0]] + 0.5) * np.asarray(level.bin_shape)
        where = Where(
            chunk=chunk if local else None, attribute=entry.name, position=_tuple(position)
        )
        text = (
            f"{len(entry.bins):,} of {entry.checked:,} {entry.what} of level {level.level} have "
            f"values of {entry.name!r} that no {_ONE[entry.what]} explains"
        )
        if local:
            text += f", {len(rows):,} of them in chunk {format_chunk(chunk)}"
        yield Finding("wrong_attribute", level.level, where, text, fix)


def _useless(before: Evidence, level: Evidence, store: str) -> Iterator[Finding]:
    if level.vertices * _USELESS > before.vertices and before.vertices:
        ratio = before.vertices / max(level.vertices, 1)
        text = (
            f"level {level.level} has {level.vertices:,} vertices, only {ratio:.2g} times fewer "
            f"than level {before.level}"
        )
        yield Finding("useless_level", level.level, Where(), text, fixes.remove(store, level.level))


def _few(found: list[Finding], fix: str) -> list[Finding]:
    """At most :data:`MOST` of each kind, and one that counts the others."""
    told: dict[tuple[Kind, int], int] = {}
    kept = []
    for finding in found:
        key = finding.kind, finding.level
        told[key] = told.get(key, 0) + 1
        if told[key] <= MOST:
            kept.append(finding)
    for (kind, level), count in told.items():
        if count > MOST:
            text = f"{count - MOST:,} more of the kind {kind} at level {level}"
            kept.append(Finding(kind, level, Where(), text, fix))
    return kept


def _where(chunk: ChunkCoords, oid: int, position: FloatArray) -> Where:
    """A place in a chunk; of an object, unless the number says none."""
    return Where(chunk, int(oid) if oid >= 0 else None, position=_tuple(position))


def _by_chunk(
    positions: FloatArray, chunk_shape: Sequence[float]
) -> Iterator[tuple[ChunkCoords, IntArray]]:
    chunks = np.floor(positions / np.asarray(chunk_shape)).astype(np.int64)
    yield from _grouped(chunks)


def _grouped(chunks: IntArray) -> Iterator[tuple[ChunkCoords, IntArray]]:
    """(chunk, its rows) of every chunk."""
    if not len(chunks):
        return
    found, which = np.unique(chunks, axis=0, return_inverse=True)
    for number, chunk in enumerate(found):
        yield _chunk(chunk), np.flatnonzero(which.reshape(-1) == number)


def _chunk(coords: IntArray) -> ChunkCoords:
    return tuple(int(part) for part in coords)


def _tuple(position: FloatArray) -> tuple[float, ...]:
    return tuple(float(part) for part in position)


def _middle(chunk: ChunkCoords, chunk_shape: Sequence[float]) -> tuple[float, ...]:
    own = chunk[-len(chunk_shape) :]
    return tuple((c + 0.5) * edge for c, edge in zip(own, chunk_shape, strict=True))


def _sentence(message: str) -> str:
    return " ".join(message.split())
