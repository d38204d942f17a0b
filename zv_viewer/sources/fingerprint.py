"""The fingerprint of a store, from metadata that is read when it is opened."""

from __future__ import annotations

import hashlib
import json

import numpy as np

from zarr_vectors.core.handle import root_version
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.lazy import ZVLevel, ZVStore
from zv_viewer.model.fingerprint import AttributePrint, Fingerprint, LevelPrint


def fingerprint_of(store: ZVStore, *, linked: bool) -> Fingerprint:
    """What a store's metadata says of it.

    Args:
        store: The store.
        linked: Whether it is drawn object by object, so that ids of objects are known.
    """
    levels = {number: store[number] for number in store.levels}
    finest = levels[store.levels[0]]
    written = root_version(store.backend)
    return Fingerprint(
        geometry=_digest(
            store.zv_version,
            sorted(store.geometry_types),
            [[axis.name, axis.unit] for axis in store.axes],
            store.bounds,
            store.chunk_shape,
            store.crs,
            str(finest.vertex_dtype),
        ),
        objects=_digest_of_numbers(store.object_ids) if linked else _digest(store.n_objects),
        levels=tuple(_level(number, level) for number, level in levels.items()),
        attributes=tuple(
            AttributePrint(
                name,
                _form(spec, [n for n, one in levels.items() if name in one.attribute_specs]),
                None if spec.limits is None else (float(spec.limits[0]), float(spec.limits[1])),
            )
            for name, spec in sorted(finest.attribute_specs.items())
        ),
        written=_digest(written) if written else None,
    )


def _level(number: int, level: ZVLevel) -> LevelPrint:
    table = level.chunk_table
    order = np.lexsort(table.coords.T[::-1])
    counts = _digest_of_numbers(table.counts[order]) if table.exact else None
    shape = [*level.chunk_shape, *(level.bin_shape or ())]
    return LevelPrint(
        number, _digest(shape, level.vertex_count, _digest_of_numbers(table.coords[order])), counts
    )


def _form(spec: AttributeSpec, levels: list[int]) -> str:
    categories = None if spec.categories is None else list(spec.categories)
    return _digest(str(spec.dtype), spec.columns, categories, spec.unit, levels)


def _digest(*values: object) -> str:
    text = json.dumps(values, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _digest_of_numbers(numbers: object) -> str:
    array = np.ascontiguousarray(numbers, np.int64)
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:32]
