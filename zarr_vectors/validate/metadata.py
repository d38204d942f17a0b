"""Level 2: metadata can be parsed and does not contradict itself."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    FRAGMENT_ATTRIBUTES,
    KIND_KEY,
    LEVEL_KEY,
    PARAMETRIC,
    VERTEX_ATTRIBUTES,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.headers import read_headers
from zarr_vectors.core.metadata import (
    AttributeSpec,
    RootMetadata,
    VertexSpec,
    deserialise_parametric_types,
)
from zarr_vectors.core.metadata.multiscales import transforms_of
from zarr_vectors.core.outline import agrees
from zarr_vectors.core.root_meta import RootDocument, parse_level
from zarr_vectors.exceptions import StoreError
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import LevelSurvey, Survey

_CLOSE = 1e-9


def check_metadata(survey: Survey, report: Report) -> None:
    """Parse the metadata of the root, its levels and their arrays into the survey."""
    with report.check("the root's metadata"), report.catching():
        survey.root = RootDocument(survey.attributes, RootMetadata.from_dict(survey.attributes))
    with report.check("headers and parametric types"), report.catching():
        _check_extras(survey)
    for level in survey.levels.values():
        with report.check(f"the metadata of level {level.number}"):
            _check_level(survey, level, report)
            _check_arrays(survey, level, report)


def _check_extras(survey: Survey) -> None:
    try:
        read_headers(survey.layout)
    except StoreError:  # the place cannot list
        return
    found = survey.layout.get_attrs([PARAMETRIC]).get(PARAMETRIC, {})
    deserialise_parametric_types(found.get("parametric_types", {}))


def _check_level(survey: Survey, level: LevelSurvey, report: Report) -> None:
    root, path = survey.root, level.path
    if root is None or LEVEL_KEY not in level.attributes:
        return
    with report.catching(path):
        level.document = parse_level(
            root, level.number, level.attributes, survey.layout.backend.url
        )
    if level.document is None:
        return
    meta = level.document.meta
    if meta.chunk_shape is not None:
        ratios = np.divide(meta.chunk_shape, root.meta.chunk_shape)
        if np.any(np.abs(ratios - np.round(ratios)) > _CLOSE) or np.any(np.round(ratios) < 1):
            report.error(
                f"chunk_shape {list(meta.chunk_shape)} of level {path} is no whole multiple of "
                f"the root's {list(root.meta.chunk_shape)}",
                path,
            )
    if agrees(root, level.number, level.attributes) is False:
        report.warn(
            f"what the root records of level {path} is not what the level says: another program "
            "wrote to it",
            path,
        )
    _check_bins(survey, level, report)


def _check_bins(survey: Survey, level: LevelSurvey, report: Report) -> None:
    root = survey.root
    if root is None or level.document is None:
        return
    found = transforms_of(root.attributes).get(level.number)
    if found is None:
        return
    base, path = root.meta.bin_shape, level.path
    if len(found.scale) != len(base):
        report.error(f"the scale of level {path} has {len(found.scale)} entries", path)
        return
    bins = found.bin_shape
    if bins is None or _same(np.divide(bins, base).tolist(), found.scale):
        return
    if _same(np.maximum(1, np.round(np.divide(bins, base))).tolist(), found.scale):
        report.warn(
            f"the scale {list(found.scale)} of level {path} is rounded: its bins are "
            f"{np.divide(bins, base).tolist()} base bins",
            path,
            defect="rounded-bin-ratio",
        )
        return
    report.error(
        f"level {path} has bins of {list(bins)} and the scale {list(found.scale)}, which "
        f"contradict each other: the base bin is {list(base)}",
        path,
    )


def _check_arrays(survey: Survey, level: LevelSurvey, report: Report) -> None:
    kinds = {VERTICES: "vertices", VERTEX_FRAGMENTS: "vertex_fragments"}
    for name in level.arrays:
        path, family = level.at(name), name.split("/")[0]
        with report.catching(path):
            meta = survey.layout.array_metas([path]).get(path, {})
            kind = meta.get(KIND_KEY)
            if name in kinds and kind is not None and kind != kinds[name]:
                report.error(f"{path} says that it is {kind!r}", path)
            if name == VERTICES:
                level.vertices = VertexSpec.from_meta(meta)
                if level.vertices.encoding not in ("raw", "draco"):
                    report.error(f"{path} has the encoding {level.vertices.encoding!r}", path)
            elif family in (VERTEX_ATTRIBUTES, FRAGMENT_ATTRIBUTES, FACE_ATTRIBUTES):
                spec = AttributeSpec.from_meta(name.partition("/")[2], meta)
                if family != FACE_ATTRIBUTES or not spec.guessed:
                    level.specs[name] = spec
                if spec.guessed:
                    report.warn(
                        f"{path} does not say its dtype: float32 is what its writer means",
                        path,
                        defect="attribute-without-metadata",
                    )


def _same(first: Sequence[float], second: Sequence[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=_CLOSE) for a, b in zip(first, second, strict=True))
