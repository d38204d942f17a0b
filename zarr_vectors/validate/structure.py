"""Level 1: the groups and arrays that make a store are there, and their documents can be read."""

from __future__ import annotations

from zarr_vectors.constants import (
    CHUNKS_KEY,
    FACE_ATTRIBUTES,
    LEVEL_KEY,
    LINKS,
    NODE,
    ROOT_KEY,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.documents import attributes_of, parse_document
from zarr_vectors.core.handle import handle_at
from zarr_vectors.core.keys import try_parse_key
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.layouts.recorded import Promises
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.core.metadata.multiscales import transforms_of
from zarr_vectors.core.paths import format_delta, level_numbers
from zarr_vectors.exceptions import MetadataError, StoreError, ZVError
from zarr_vectors.typing import ChunkCoords
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import FAMILIES, SINGLE, LevelSurvey, Survey

_WITHIN = format_delta(0)


def check_structure(place: StorageBackend, report: Report) -> Survey | None:
    """Find the levels and arrays of a store; None where nothing of it can be read."""
    survey = None
    with report.check("the root is a Zarr Vectors store of a known format"), report.catching():
        survey = _open(place)
    if survey is None:
        return None
    with report.check("every level has its group and its arrays"):
        _find_levels(survey, report)
        promises = _promises(survey)
        for level in survey.levels.values():
            _find_arrays(survey, level, promises, report)
    with report.check("the chunks of every array can be listed"):
        for level in survey.levels.values():
            _find_chunks(survey, level, report)
    return survey


def _open(place: StorageBackend) -> Survey:
    data = place.get_many([NODE]).get(NODE)
    if data is None:
        raise StoreError(f"{place.url} is not a Zarr Vectors store: it has no {NODE}")
    where = f"{NODE} of {place.url}"
    attributes = attributes_of(parse_document(data, where), where)
    block = attributes.get(ROOT_KEY)
    if not isinstance(block, dict):
        raise StoreError(f"{where} has no {ROOT_KEY!r}: it is not a Zarr Vectors store")
    if "zv_version" not in block:
        raise MetadataError(f"{where} has no zv_version")
    return Survey(layout_for(block["zv_version"], place), attributes)


def _find_levels(survey: Survey, report: Report) -> None:
    url = survey.layout.backend.url
    recorded: set[int] = set()
    try:
        recorded = set(transforms_of(survey.attributes))
    except MetadataError as error:
        report.error(f"multiscales of {url} cannot be read: {error}")
    try:
        listed = set(level_numbers(survey.layout.children("")))
    except StoreError:
        listed = set(recorded)
    for number in sorted(listed | recorded):
        level = LevelSurvey(number)
        with report.catching(str(number)):
            found = survey.layout.get_attrs([str(number)]).get(str(number))
            if found is None:
                what = "named in multiscales and not there" if number in recorded else "no group"
                report.error(f"level {number} of {url} is {what}", str(number))
                continue
            level.attributes = found
        if not level.attributes and number not in recorded:
            continue
        if LEVEL_KEY not in level.attributes:
            report.error(f"level {number} of {url} has no {LEVEL_KEY!r}", str(number))
        elif number not in recorded:
            report.warn(f"level {number} of {url} is not named in multiscales", str(number))
        survey.levels[number] = level
    if 0 not in survey.levels:
        report.error(f"{url} has no level 0", "0")


def _promises(survey: Survey) -> Promises | None:
    """The store's own record of names, None where its metadata is damaged."""
    version = survey.attributes[ROOT_KEY]["zv_version"]
    try:
        return handle_at(layout_for(version, survey.layout.backend)).layout.promises
    except ZVError:  # told by the checks of the metadata
        return None


def _find_arrays(
    survey: Survey, level: LevelSurvey, promises: Promises | None, report: Report
) -> None:
    block = level.attributes.get(LEVEL_KEY)
    said = block.get("arrays_present") if isinstance(block, dict) else None
    recorded = [name for name in said if isinstance(name, str)] if isinstance(said, list) else []
    names = _children(survey, level.path)
    present = set(recorded) if names is None else set(names)
    known = set(FAMILIES)
    for name in SINGLE:
        if name in present or name in recorded or name in (VERTICES, VERTEX_FRAGMENTS):
            _add(survey, level, name, report, required=name in recorded or name in SINGLE[:2])
    for family in FAMILIES:
        if family not in present and not any(n.split("/")[0] == family for n in recorded):
            continue
        own = _children(survey, level.at(family))
        below = {n.partition("/")[2] for n in recorded if n.startswith(f"{family}/")}
        below |= _promised(promises, level.at(family))
        for name in sorted(below | set(own or ())):
            _add(survey, level, f"{family}/{name}", report, required=name in below)
        if family in recorded and not level.below(family):
            report.error(f"{level.at(family)} is recorded and holds nothing", level.at(family))
    links = level.at(f"{LINKS}/{_WITHIN}")  # those between levels are compared with one another
    if _WITHIN in _promised(promises, level.at(LINKS)):
        with report.catching(links):
            if links not in survey.layout.documents([links]):
                report.error(f"{links} in {survey.layout.backend.url} is missing", links)
    _check_groups(survey, level, [n for n in sorted(present) if n in known], report)
    if names is not None:
        _check_documents(survey, level, [n for n in names if n not in (*SINGLE, *known)], report)


def _promised(promises: Promises | None, path: str) -> frozenset[str]:
    """Names recorded below a group of a level that is still the one recorded."""
    names = frozenset() if promises is None else promises.below(path)
    return names if promises is not None and names and promises.hold(path) else frozenset()


def _add(survey: Survey, level: LevelSurvey, name: str, report: Report, *, required: bool) -> None:
    path, url = level.at(name), survey.layout.backend.url
    with report.catching(path):
        if path in survey.layout.documents([path]):
            level.arrays.append(name)
        elif required:
            report.error(f"{path} in {url} is missing", path)
        else:
            report.error(f"{path}/{NODE} in {url} is missing", path)


def _check_groups(survey: Survey, level: LevelSurvey, families: list[str], report: Report) -> None:
    paths = [level.at(family) for family in families if level.below(family)]
    with report.catching(level.path):
        there = survey.layout.documents(paths)
        for path in paths:
            if path not in there:
                report.warn(
                    f"the group {path} has no {NODE}: readers that walk the tree do not see what "
                    "is below it",
                    path,
                    defect="groups-without-documents",
                )


def _check_documents(survey: Survey, level: LevelSurvey, names: list[str], report: Report) -> None:
    """Documents of links and of what is not known here can be read, two groups deep."""
    paths = [level.at(name) for name in names]
    for path in list(paths):
        below = _children(survey, path) or []
        paths += [f"{path}/{name}" for name in below if try_parse_key(name) is None or name == "0"]
    for path in paths:
        with report.catching(path):
            survey.layout.get_attrs([path])


def _find_chunks(survey: Survey, level: LevelSurvey, report: Report) -> None:
    recorded = _recorded_chunks(level)
    for name in level.chunked():
        path = level.at(name)
        with report.catching(path):
            try:
                level.cells[name] = frozenset(survey.layout.list_cells(path))
            except StoreError as error:
                if recorded is not None and not name.startswith(f"{FACE_ATTRIBUTES}/"):
                    level.cells[name] = recorded
                else:
                    report.warn(f"the chunks of {path} cannot be listed: {error}", path)


def _recorded_chunks(level: LevelSurvey) -> frozenset[ChunkCoords] | None:
    """Chunks by the level's own table, for places that cannot list."""
    try:
        return frozenset(ChunkTable.from_dict(level.attributes.get(CHUNKS_KEY, {})).keys())
    except MetadataError:
        return None


def _children(survey: Survey, path: str) -> list[str] | None:
    """Names below a group, None where the place cannot list."""
    try:
        return survey.layout.children(path)
    except StoreError:
        return None
