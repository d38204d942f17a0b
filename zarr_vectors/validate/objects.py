"""Objects, groups and their attributes: manifests point at fragments that exist, rows fit."""

from __future__ import annotations

import numpy as np

from zarr_vectors.constants import (
    GROUP_ATTRIBUTES,
    GROUPS,
    MANIFEST_ROWS,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
    VERTEX_FRAGMENTS,
)
from zarr_vectors.core.layouts.base import ObjectRows
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST, ManifestTable, decode_manifests
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords, IntArray
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import LevelSurvey, Survey


def check_objects(survey: Survey, level: LevelSurvey, report: Report) -> None:
    """Compare objects and groups with the chunks; the level's chunks were read before."""
    rows = None
    if OBJECT_INDEX in level.arrays:
        path = level.at(OBJECT_INDEX)
        with report.catching(path):
            rows = survey.layout.get_objects(level.path)
        if rows is not None:
            _check_index(survey, level, rows, report)
    elif level.below(OBJECT_ATTRIBUTES):
        path = level.at(OBJECT_ATTRIBUTES)
        report.error(f"{path} in {survey.layout.backend.url} has no object index beside it", path)
    for name in level.below(OBJECT_ATTRIBUTES):
        _check_rows(survey, level, name, rows, report)
    _check_groups(survey, level, rows, report)


def _check_index(survey: Survey, level: LevelSurvey, rows: ObjectRows, report: Report) -> None:
    path, url = level.at(OBJECT_INDEX), survey.layout.backend.url
    if survey.ndim and rows.sid_ndim != survey.rank(level):
        report.error(
            f"{path} in {url} has chunks of {rows.sid_ndim} components, expected "
            f"{survey.rank(level)}",
            path,
        )
        return
    recorded = survey.layout.get_attrs([path]).get(path, {}).get("num_objects")
    if recorded is not None and recorded != len(rows.ids):
        report.error(f"{path} in {url} records {recorded} objects and holds {len(rows.ids)}", path)
    used = {key: np.zeros(count, np.bool_) for key, count in level.fragments.items()}
    for start in range(0, len(rows.ids), MANIFEST_ROWS):
        ids = rows.ids[start : start + MANIFEST_ROWS]
        blobs = list(rows.manifests[start : start + MANIFEST_ROWS])
        table = _decoded(level, ids, blobs, rows.sid_ndim, url, report)
        _check_pieces(level, ids, table, used, url, report)
    if not len(rows.ids):
        return
    for key, flags in used.items():
        left = int(np.count_nonzero(~flags))
        if left:
            report.warn(
                f"{left} of {len(flags)} fragments of chunk {format_chunk(key)} at level "
                f"{level.path} of {url} belong to no object",
                path,
                key,
            )


def _decoded(
    level: LevelSurvey,
    ids: IntArray,
    blobs: list[bytes],
    rank: int,
    url: str,
    report: Report,
) -> ManifestTable:
    """Manifests; a damaged one is told of and counts as empty."""
    try:
        return decode_manifests(blobs, rank)
    except ArrayError:
        pass  # one of them: each by itself tells which
    path = level.at(OBJECT_INDEX)
    for row, blob in enumerate(blobs):
        try:
            decode_manifests([blob], rank)
        except ArrayError as error:
            report.error(f"object {int(ids[row])} of {path} in {url} is damaged: {error}", path)
            blobs[row] = EMPTY_MANIFEST
    return decode_manifests(blobs, rank)


def _check_pieces(
    level: LevelSurvey,
    ids: IntArray,
    table: ManifestTable,
    used: dict[ChunkCoords, np.ndarray],
    url: str,
    report: Report,
) -> None:
    path = level.at(OBJECT_INDEX)
    objects = np.repeat(ids, np.diff(table.offsets))
    if not len(objects):
        return
    chunks, place = np.unique(table.chunks, axis=0, return_inverse=True)
    place = place.reshape(-1)
    order = np.argsort(place, kind="stable")
    edges = np.searchsorted(place[order], np.arange(len(chunks) + 1))
    unknown = level.damaged_fragments()
    for number, row in enumerate(chunks.tolist()):
        key = tuple(row)
        mine = order[edges[number] : edges[number + 1]]
        wanted = table.fragments[mine]
        count = level.fragments.get(key)
        if count is None:
            if key not in unknown and VERTEX_FRAGMENTS in level.cells:
                oid = int(objects[mine[0]])
                report.error(
                    f"object {oid} of {path} in {url} points at chunk {format_chunk(key)}, which "
                    "has no fragments",
                    path,
                    key,
                )
            continue
        beyond = wanted >= count
        if beyond.any():
            at = int(np.flatnonzero(beyond)[0])
            report.error(
                f"object {int(objects[mine[at]])} of {path} in {url} points at fragment "
                f"{int(wanted[at])} of chunk {format_chunk(key)}, which has {count}",
                path,
                key,
            )
        used[key][wanted[~beyond]] = True


def _check_rows(
    survey: Survey, level: LevelSurvey, name: str, rows: ObjectRows | None, report: Report
) -> None:
    path, url = level.at(name), survey.layout.backend.url
    with report.catching(path):
        found = survey.layout.get_dense(path)
        if found is None or rows is None:
            return
        values, present = found
        if len(values) != len(rows.ids):
            report.error(
                f"{path} in {url} has {len(values)} rows for {len(rows.ids)} objects", path
            )
            return
        empty = np.array([blob == EMPTY_MANIFEST for blob in rows.manifests], np.bool_)
        absent = np.ones(len(values), np.bool_)
        absent[present] = False
        if absent.any() and (empty & ~absent).any():
            report.warn(
                f"{path} in {url} has a value for objects without vertices",
                path,
                defect="values-of-empty-objects",
            )


def _check_groups(
    survey: Survey, level: LevelSurvey, rows: ObjectRows | None, report: Report
) -> None:
    path, url = level.at(GROUPS), survey.layout.backend.url
    groups = None
    if GROUPS in level.arrays:
        with report.catching(path):
            groups = survey.layout.get_groups(level.path)
    if groups is not None and rows is not None:
        for number, members in enumerate(groups):
            strange = members[~np.isin(members, rows.ids)]
            if len(strange):
                report.error(
                    f"group {number} of {path} in {url} names object {int(strange[0])}, which is "
                    "not in the object index",
                    path,
                )
    for name in level.below(GROUP_ATTRIBUTES):
        where = level.at(name)
        with report.catching(where):
            found = survey.layout.get_dense(where)
            if found is not None and groups is not None and len(found[0]) != len(groups):
                report.error(
                    f"{where} in {url} has {len(found[0])} rows for {len(groups)} groups", where
                )
