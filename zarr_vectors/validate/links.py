"""Links join rows that exist, at their own level and across levels; their counts are recorded."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import cast

import numpy as np

from zarr_vectors.constants import LINK_FRAGMENTS, LINKS, VERTICES
from zarr_vectors.core.layouts.base import KeepsLinks, LinkFamily, LinkRecords
from zarr_vectors.core.paths import format_chunk, format_delta
from zarr_vectors.encoding.fragments import decode_fragments
from zarr_vectors.exceptions import ArrayError, ZVError, ZVWarning
from zarr_vectors.typing import ChunkCoords, IntArray
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import LevelSurvey, Survey

_MOST_TOLD = 20
"""Damaged chunks of links that are told of; finding each costs a read of the rest."""


def check_links(survey: Survey, level: LevelSurvey, report: Report) -> None:
    """Compare every link of a level with the rows its ends name."""
    families = families_of(survey, level, report)
    for delta, family in families.items():
        records = read_links(survey, level, delta, family, report)
        if records is not None:
            _check_records(survey, level, delta, family, records, report)


def links_of(survey: Survey) -> KeepsLinks:
    """Where the links of a store are."""
    return cast("KeepsLinks", survey.layout)


def families_of(survey: Survey, level: LevelSurvey, report: Report) -> dict[int, LinkFamily]:
    """Links of a level by delta: to itself and to every other level."""
    deltas = [0, *(other - level.number for other in survey.levels if other != level.number)]
    with report.catching(level.at(LINKS)):
        return links_of(survey).link_families(level.path, deltas)
    return {}


def read_links(
    survey: Survey, level: LevelSurvey, delta: int, family: LinkFamily, report: Report
) -> LinkRecords | None:
    """All links of a delta; None where some are damaged, which is told of each chunk."""
    path = f"{level.at(LINKS)}/{format_delta(delta)}"
    keys: set[ChunkCoords] | None = None
    for _ in range(_MOST_TOLD):
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always", ZVWarning)
                found = links_of(survey).get_links(
                    level.path, delta=delta, within=keys, attributes=family.attributes
                )
        except ZVError as error:
            array, chunk = getattr(error, "array", None), getattr(error, "chunk", None)
            report.error(str(error), array or path, chunk)
            known = set(level.counts) if keys is None else keys
            if chunk not in known:
                return None
            keys = known - {chunk}  # what is left tells of other damage
        else:
            for warning in said:
                report.warn(str(warning.message), path, defect="link-attributes-not-stored")
            return found if keys is None else None
    report.error(f"more of {path} in {survey.layout.backend.url} may be damaged", path)
    return None


def _check_records(
    survey: Survey,
    level: LevelSurvey,
    delta: int,
    family: LinkFamily,
    records: LinkRecords,
    report: Report,
) -> None:
    path, url = f"{level.at(LINKS)}/{format_delta(delta)}", survey.layout.backend.url
    if family.count is not None and family.count != len(records.rows):
        report.error(
            f"{path} in {url} records {family.count} links and holds {len(records.rows)}", path
        )
    if not len(records.rows):
        return
    if not delta:
        _check_faces(level, records, url, report)
        _check_tables(survey, level, records, report)
    other = survey.levels.get(level.number + delta)
    # an end below 0 says of the first end that it has no parent
    roots = not delta and links_of(survey).parents_cross_fragments
    for end in range(records.rows.shape[1]):
        holder = level if not end else other
        if holder is None:
            report.error(f"{path} in {url} links to level {level.number + delta}: none", path)
            return
        chunks, rows = records.chunks[:, end], records.rows[:, end]
        _check_ends(holder, chunks, rows, end, path, url, report, roots=roots)


def _check_faces(level: LevelSurvey, records: LinkRecords, url: str, report: Report) -> None:
    """Attributes of faces have a row for each face inside a chunk."""
    if not level.faces or level.vertices is None or level.vertices.encoding != "raw":
        return
    inside = (records.chunks == records.chunks[:, :1]).all(axis=(1, 2))
    counts = {key: len(mine) for key, mine in by_chunk(records.chunks[inside, 0])}
    for name, found in level.faces.items():
        path = level.at(name)
        for key in sorted(found.keys() | counts.keys()):
            have, want = found.get(key, 0), counts.get(key, 0)
            if have != want:
                report.error(
                    f"chunk {format_chunk(key)} of {path} in {url} is damaged: {have} rows, "
                    f"expected {want}",
                    path,
                    key,
                )


def _check_tables(survey: Survey, level: LevelSurvey, records: LinkRecords, report: Report) -> None:
    """Fragment tables over links cover the links inside their chunk."""
    path, url = level.at(LINK_FRAGMENTS), survey.layout.backend.url
    inside = (records.chunks == records.chunks[:, :1]).all(axis=(1, 2))
    for key, mine in by_chunk(records.chunks[inside, 0]):
        with report.catching(path):
            blob = survey.layout.get_cells({path: [key]})[path].get(key)
            if blob is None:
                continue
            try:
                rows = decode_fragments(blob).num_rows
                said = f"it covers {rows} links, expected {len(mine)}"
            except ArrayError as error:
                rows, said = -1, str(error)
            if rows != len(mine):
                report.error(
                    f"chunk {format_chunk(key)} of {path} in {url} is damaged: {said}", path, key
                )


def _check_ends(
    holder: LevelSurvey,
    chunks: IntArray,
    rows: IntArray,
    end: int,
    path: str,
    url: str,
    report: Report,
    *,
    roots: bool,
) -> None:
    unreadable = holder.damaged_vertices()
    for key, mine in by_chunk(chunks):
        count = holder.counts.get(key)
        if count is None and (key in unreadable or VERTICES not in holder.cells):
            continue
        found = rows[mine]
        wrong = found >= (count or 0)
        if wrong.any():
            row = int(found[np.flatnonzero(wrong)[0]])
            report.error(
                f"{int(wrong.sum())} links of {path} in {url} name rows such as {row} of chunk "
                f"{format_chunk(key)} at level {holder.path}, which has {count or 0}",
                path,
                key,
            )
        if (found < 0).any() and not (end and roots):
            report.error(
                f"links of {path} in {url} name row {int(found.min())} of chunk "
                f"{format_chunk(key)} at level {holder.path}",
                path,
                key,
            )


def by_chunk(chunks: IntArray) -> list[tuple[tuple[int, ...], IntArray]]:
    """Every chunk among (n, R) rows and where it is."""
    keys, place = np.unique(chunks, axis=0, return_inverse=True)
    order = np.argsort(place.reshape(-1), kind="stable")
    edges = np.searchsorted(place.reshape(-1)[order], np.arange(len(keys) + 1))
    return [
        (tuple(key), order[edges[number] : edges[number + 1]])
        for number, key in enumerate(_rows(keys))
    ]


def _rows(keys: IntArray) -> Sequence[Sequence[int]]:
    found: Sequence[Sequence[int]] = keys.tolist()
    return found
