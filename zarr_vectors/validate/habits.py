"""Known habits of the published releases in how links name rows: told by name, no damage."""

from __future__ import annotations

import numpy as np

from zarr_vectors.constants import LINKS_KEY, VERTEX_FRAGMENTS
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords, IntArray
from zarr_vectors.validate.links import by_chunk, links_of
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import LevelSurvey, Survey

_PATHS = {"polyline", "streamline"}
_TREES = {"graph", "skeleton"}


def check_habits(survey: Survey, level: LevelSurvey, records: LinkRecords, report: Report) -> None:
    """Tell of links that other writers number in ways of their own.

    Args:
        survey: The store.
        level: The level; its chunks were read.
        records: Its links.
        report: Where findings go.
    """
    kinds = set() if survey.root is None else set(survey.root.meta.geometry_types)
    if LINKS_KEY in level.attributes or not len(records.rows):
        return
    path, url = level.at("links/0"), survey.layout.backend.url
    if kinds & (_PATHS | {"line"}) and not records.rows.any():
        report.warn(
            f"links of {path} in {url} all name row 0: their writer does not number them, the "
            "manifests tell how paths go on",
            path,
            defect="path-links-at-row-0",
        )
    elif "line" in kinds:
        _check_lines(survey, level, records, report)
    elif kinds & _TREES and links_of(survey).links_precede_grouping:
        _check_objects(survey, level, records, report)


def _check_lines(survey: Survey, level: LevelSurvey, records: LinkRecords, report: Report) -> None:
    """A line across chunks joins two fragments of one row each."""
    wrong = 0
    for end in range(records.rows.shape[1]):
        for key, mine in by_chunk(records.chunks[:, end]):
            index = _fragments(survey, level, key)
            if index is not None:
                alone = index.starts[(index.counts == 1) & ~index.explicit]
                wrong += int(np.count_nonzero(~np.isin(records.rows[mine, end], alone)))
    if wrong:
        report.warn(
            f"{wrong} ends of links of {level.at('links/0')} in {survey.layout.backend.url} name "
            "no end of a line: their writer put the number of the fragment for the row",
            level.at("links/0"),
            defect="line-links-by-fragment",
        )


def _check_objects(
    survey: Survey, level: LevelSurvey, records: LinkRecords, report: Report
) -> None:
    """An edge inside a chunk joins rows of one fragment: a chunk has one per object."""
    inside = np.flatnonzero((records.chunks == records.chunks[:, :1]).all(axis=(1, 2)))
    wrong = 0
    for key, mine in by_chunk(records.chunks[inside, 0]):
        count = level.counts.get(key)
        if count is None or level.fragments.get(key, 0) < 2:
            continue
        index, rows = _fragments(survey, level, key), records.rows[inside[mine]]
        if index is not None and rows.max() < count and rows.min() >= 0:
            owner: IntArray = index.fragment_of_rows(count)
            wrong += int(np.count_nonzero(owner[rows[:, 0]] != owner[rows[:, 1]]))
    if wrong:
        report.warn(
            f"{wrong} links of {level.at('links/0')} in {survey.layout.backend.url} join vertices "
            "of different objects: their writer numbered rows before it sorted them by object",
            level.at("links/0"),
            defect="link-rows-before-grouping",
        )


def _fragments(survey: Survey, level: LevelSurvey, key: ChunkCoords) -> FragmentIndex | None:
    """A chunk's fragment table; None where it is damaged, which was told before."""
    path = level.at(VERTEX_FRAGMENTS)
    try:
        blob = survey.layout.get_cells({path: [key]})[path].get(key)
        index = None if blob is None else decode_fragments(blob)
        if index is not None:
            index.check(level.counts.get(key, 0))
    except ArrayError:
        return None
    return index
