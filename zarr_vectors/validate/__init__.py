"""Checking a store against the format and against itself; damage is reported, never raised."""

from __future__ import annotations

from zarr_vectors.core.backends import StoreLike, open_backend
from zarr_vectors.core.group import Group
from zarr_vectors.core.opening import past_journal
from zarr_vectors.validate.conformance import Conformance
from zarr_vectors.validate.consistency import check_consistency
from zarr_vectors.validate.metadata import check_metadata
from zarr_vectors.validate.multiresolution import check_multiresolution
from zarr_vectors.validate.result import Finding, Report, ValidationResult
from zarr_vectors.validate.structure import check_structure

__all__ = ["Finding", "ValidationResult", "validate"]

DEEPEST = 5


def validate(store_path: StoreLike | Group, *, level: int = 3) -> ValidationResult:
    """Check a store, chunk by chunk.

    Each level looks deeper and includes those before it: 1 structure (groups, arrays and chunks
    are there), 2 metadata (can be parsed and does not contradict itself), 3 consistency (counts
    across arrays, fragments, manifests, links, what is recorded), 4 conformance (values are what
    the format allows and lie where they should), 5 multiresolution (levels stand for one another).
    Damage is told by the first level that meets it. Known habits of other writers that do not keep
    a store from being read are warnings and carry a name.

    Args:
        store_path: Path, URL, Zarr Store, obstore store or root group.
        level: How deep, 1 to 5.

    Returns:
        ``ok``, ``passed``, ``warnings``, ``errors``, ``findings``, ``summary()``.

    Raises:
        ValueError: ``level`` is not 1 to 5.
    """
    if level not in range(1, DEEPEST + 1):
        raise ValueError(f"level must be 1 to {DEEPEST}, not {level!r}")
    result = ValidationResult(level)
    reports = [Report(result, number + 1) for number in range(level)]
    with reports[0].catching():
        group = store_path if isinstance(store_path, Group) else None
        place = open_backend(store_path) if group is None else group.backend
        result.url = place.url
        place = past_journal(place, writing=False)
        survey = check_structure(place, reports[0])
        if survey is not None:
            if level >= 2:
                check_metadata(survey, reports[1])
            if level >= 3:
                deep = Conformance(survey, reports[3]) if level >= 4 else None
                check_consistency(survey, reports[2], None if deep is None else deep.on_chunk)
                if deep is not None:
                    with reports[3].check("values are where they should be"):
                        deep.finish()
            if level >= DEEPEST:
                check_multiresolution(survey, reports[4])
    for report in reports:
        report.close()
    return result
