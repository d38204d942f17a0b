"""Level 5: levels nest, keep ids and attributes, and their errors are plausible."""

from __future__ import annotations

import itertools
import math

import numpy as np

from zarr_vectors.constants import (
    GROUPS,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
    STALE_KEY,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.metadata import RootMetadata
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.typing import IntArray
from zarr_vectors.validate.links import families_of
from zarr_vectors.validate.result import Report, ValidationResult
from zarr_vectors.validate.survey import LevelSurvey, Survey


def check_multiresolution(survey: Survey, report: Report) -> None:
    """Compare the levels of a store with one another; their arrays were read before."""
    known = [level for level in survey.levels.values() if level.document is not None]
    levels = [level for level in known if STALE_KEY not in level.attributes]
    for level in known:
        if STALE_KEY in level.attributes:
            report.warn(
                f"level {level.path} no longer describes the one it was made from: "
                f"{level.attributes[STALE_KEY]}",
                level.path,
            )
    if survey.root is None or len(levels) < 2:
        return
    with report.check("levels nest"):
        for finer, coarser in itertools.pairwise(levels):
            _check_nesting(survey, survey.root.meta, finer, coarser, report)
    with report.check("object ids mean the same at every level"):
        _check_objects(survey, levels, report)
    with report.check("attributes are there at every level"):
        for level in levels[1:]:
            _check_arrays(survey, levels[0], level, report)
    with report.check("recorded errors are plausible"):
        _check_errors(survey.root.meta, levels, report)
    with report.check("links between levels"):
        _check_links(survey, survey.root.meta, levels, report)


def _check_nesting(
    survey: Survey, root: RootMetadata, finer: LevelSurvey, coarser: LevelSurvey, report: Report
) -> None:
    assert finer.document is not None and coarser.document is not None  # noqa: S101, PT018
    path, meta = coarser.path, coarser.document.meta
    if meta.parent_level is None or not meta.parent_level < coarser.number:
        report.error(f"level {path} has the parent level {meta.parent_level}", path)
    elif meta.parent_level not in survey.levels:
        report.error(f"level {path} was made from level {meta.parent_level}, which is gone", path)
    before, after = finer.document.meta.vertex_count, meta.vertex_count
    if after > before:
        report.error(
            f"level {path} has {after} vertices, level {finer.path} before it {before}", path
        )
    ratio = np.divide(survey.chunk_shape(coarser), survey.chunk_shape(finer))
    if np.any(np.abs(ratio - np.round(ratio)) > 1e-9) or np.any(np.round(ratio) < 1):
        report.error(
            f"chunks of level {path} are {ratio.tolist()} of those of level {finer.path}", path
        )
    before_bins, bins = finer.document.meta.bin_shape or root.bin_shape, meta.bin_shape
    if bins is None:
        report.warn(f"level {path} does not say its bins", path)
    elif any(b < a * (1 - 1e-9) for a, b in zip(before_bins, bins, strict=True)):
        report.error(f"level {path} has finer bins than level {finer.path}: {list(bins)}", path)


def _check_objects(survey: Survey, levels: list[LevelSurvey], report: Report) -> None:
    known: dict[int, tuple[IntArray, IntArray]] = {}
    for level in levels:
        if OBJECT_INDEX not in level.arrays:
            continue
        quiet = Report(ValidationResult(5), 5)  # damage was told by level 3
        with quiet.catching():
            rows = survey.layout.get_objects(level.path)
            if rows is not None:
                full = [blob != EMPTY_MANIFEST for blob in rows.manifests]
                known[level.number] = rows.ids, rows.ids[np.array(full, np.bool_)]
    for level in levels[1:]:
        assert level.document is not None  # noqa: S101
        meta, path = level.document.meta, level.at(OBJECT_INDEX)
        parent = known.get(-1 if meta.parent_level is None else meta.parent_level)
        own = known.get(level.number)
        if own is None:
            if parent is not None and meta.preserves_object_ids:
                report.error(f"level {level.path} keeps object ids and has no object index", path)
            elif parent is not None:
                report.warn(f"level {level.path} has no objects, its parent level has", path)
            continue
        if parent is None:
            continue
        if meta.inherited_num_objects not in (None, len(parent[0])):
            report.error(
                f"level {level.path} was made from {meta.inherited_num_objects} objects; level "
                f"{meta.parent_level} has {len(parent[0])}",
                path,
            )
        strange = own[1][~np.isin(own[1], parent[1])]
        if len(strange):
            report.error(
                f"level {level.path} has object {int(strange[0])}, which has no vertices at level "
                f"{meta.parent_level}",
                path,
            )


def _check_arrays(survey: Survey, finest: LevelSurvey, level: LevelSurvey, report: Report) -> None:
    wanted = [*finest.below(VERTEX_ATTRIBUTES), *finest.below(OBJECT_ATTRIBUTES)]
    wanted += [GROUPS] if GROUPS in finest.arrays else []
    for name in wanted:
        if name not in level.arrays:
            report.warn(
                f"{level.at(name)} is missing: level 0 of {survey.layout.backend.url} has it",
                level.at(name),
                defect="coarse-level-without-attributes",
            )
        elif name in finest.specs and name in level.specs:
            first, second = finest.specs[name], level.specs[name]
            if (first.dtype, first.row_shape) != (second.dtype, second.row_shape):
                report.error(
                    f"{level.at(name)} holds {second.dtype.name} rows of {second.row_shape}, "
                    f"level 0 {first.dtype.name} rows of {first.row_shape}",
                    level.at(name),
                )


def _check_errors(root: RootMetadata, levels: list[LevelSurvey], report: Report) -> None:
    extent = math.dist(*root.bounds)
    for level in levels[1:]:
        error = None if level.document is None else level.document.error
        if error is None or level.document is None:
            continue
        path = level.path
        if not 0 <= error.p50 <= error.p95 <= error.max:
            report.error(
                f"level {path} records an error of {error.p50:g}, {error.p95:g}, {error.max:g} "
                "(median, 95 %, largest), which do not ascend from 0",
                path,
            )
        elif error.max > extent * (1 + 1e-6):
            report.error(
                f"level {path} records an error of {error.max:g}, more than the extent {extent:g} "
                "of the store",
                path,
            )
        elif not error.max and not error.unrepresented and _count(level) < _count(levels[0]):
            report.error(f"level {path} records no error and has fewer vertices than level 0", path)
        bins = level.document.meta.bin_shape or root.bin_shape
        if error.p50 > math.hypot(*bins) * 2:
            report.warn(
                f"level {path} records a median error of {error.p50:g}, more than two bins", path
            )


def _count(level: LevelSurvey) -> int:
    return 0 if level.document is None else level.document.meta.vertex_count


def _check_links(
    survey: Survey, root: RootMetadata, levels: list[LevelSurvey], report: Report
) -> None:
    quiet = Report(ValidationResult(5), 5)
    families = {level.number: families_of(survey, level, quiet) for level in levels}
    promised = "multiscale_links" in root.format_capabilities
    for finer, coarser in itertools.combinations(levels, 2):
        delta = coarser.number - finer.number
        if root.cross_level_depth >= 0 and delta > root.cross_level_depth:
            continue
        up, down = families[finer.number].get(delta), families[coarser.number].get(-delta)
        path = finer.at(f"links/{delta:+d}")
        if up is None:
            if promised and delta == 1 and root.cross_level_storage != "none":
                report.error(f"{path} is missing: the store says that its levels are linked", path)
            continue
        if root.cross_level_storage == "explicit":
            back = coarser.at(f"links/{-delta:+d}")
            if down is None:
                report.error(f"{back} is missing: {path} has no mirror", back)
            elif up.count is not None and down.count is not None and up.count != down.count:
                report.error(f"{path} holds {up.count} links, its mirror {back} {down.count}", back)
        if up.count is not None and up.count > 0 and VERTICES not in coarser.arrays:
            report.error(f"{path} links to level {coarser.path}, which has no vertices", path)
