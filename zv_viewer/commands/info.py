"""``zv-view info``: what a store is, from its metadata alone, without any graphical library."""

from __future__ import annotations

import json
from typing import Any

from zarr_vectors._text import plain
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.core.layouts.base import LinkFamily
from zarr_vectors.exceptions import StoreError
from zarr_vectors.lazy import ZVStore
from zv_viewer.sources.at_once import at_once
from zv_viewer.sources.drawable import mixed_warning
from zv_viewer.sources.stale import stale_levels, stale_warnings


def describe(store: ZVStore, links: dict[int, LinkFamily] | None = None) -> dict[str, Any]:
    """Everything ``info`` shows, as plain JSON values.

    Args:
        store: The store.
        links: What the links of each level are that has any, by the level's number.

    Raises:
        StoreError: There are no levels.
    """
    links = links or {}
    if not store.levels:
        raise StoreError(f"{store.url} has no levels")
    levels = at_once(lambda n: _level(store, n, links.get(n)), store.levels)
    finest = store[store.levels[0]]
    return {
        "url": store.url,
        "format_version": store.zv_version,
        "geometry": store.geometry_type,
        "geometry_types": store.geometry_types,
        "axes": [{"name": axis.name, "unit": axis.unit} for axis in store.axes],
        "bounds": [list(map(float, corner)) for corner in store.bounds],
        "vertex_count": levels[0]["vertex_count"],
        "objects": int(store.n_objects),
        "levels": levels,
        "attributes": [
            {
                "name": spec.name,
                "dtype": str(spec.dtype),
                "columns": spec.columns,
                "categories": None if spec.categories is None else len(spec.categories),
                "unit": spec.unit,
                "limits": None if spec.limits is None else list(spec.limits),
            }
            for spec in finest.attribute_specs.values()
        ],
        "warnings": [
            *_not_seen(store),
            *stale_warnings(stale_levels(store)),
            *_warnings(levels),
        ],
    }


def info(path: str, *, as_json: bool) -> int:
    """Print the description of a store; errors are the library's own."""
    handle = open_handle(path)
    with ZVStore(handle) as store:
        facts = describe(store, links_of(handle))
    print(json.dumps(facts, indent=1) if as_json else _text(facts))
    return 0


def links_of(handle: StoreHandle) -> dict[int, LinkFamily]:
    """What the links of each level of a store are that has any, from metadata."""
    families = at_once(lambda n: handle.layout.link_families(str(n)).get(0), handle.levels)
    found = zip(handle.levels, families, strict=True)
    return {number: family for number, family in found if family is not None}


def _level(store: ZVStore, number: int, links: LinkFamily | None) -> dict[str, Any]:
    level = store[number]
    table, error = level.chunk_table, level.error
    bins = level.bin_shape if level.bin_shape is not None else store.bin_shape
    return {
        "level": number,
        "vertex_count": int(level.vertex_count),
        "objects": int(store.object_count_at(number)),
        "links": None
        if links is None
        else {
            "count": links.count,
            "width": links.width,
            "attributes": list(links.attributes),
        },
        "chunks": len(table.coords),
        "chunk_shape": [float(x) for x in level.chunk_shape],
        "bin_shape": [float(x) for x in bins],
        "error": None if error is None else {"p50": error.p50, "p95": error.p95, "max": error.max},
        "attributes": sorted(level.attribute_specs),
        "counts_exact": bool(table.exact),
        "stale": level.stale,
    }


def _not_seen(store: ZVStore) -> list[str]:
    mixed = mixed_warning(store.geometry_types)
    return [] if mixed is None else [mixed]


def _warnings(levels: list[dict[str, Any]]) -> list[str]:
    found = []
    names = set(levels[0]["attributes"])
    if len(levels) == 1:
        found.append("there is one level only: a pyramid would show all of it at once")
    if any(level["error"] is None for level in levels[1:]):
        found.append("level errors are not stored: they are estimated from vertex density")
    if any(not level["counts_exact"] for level in levels):
        found.append("vertices per chunk are not recorded: they are estimated until read")
    for level in levels[1:]:
        missing = sorted(names - set(level["attributes"]))
        if missing:
            found.append(f"level {level['level']} lacks the attributes {', '.join(missing)}")
    return found


def _text(facts: dict[str, Any]) -> str:
    axes = ", ".join(
        axis["name"] + (f" [{axis['unit']}]" if axis["unit"] else "") for axis in facts["axes"]
    )
    kinds = ", ".join(facts["geometry_types"]) or "no geometry named"
    lines = [
        f"{facts['url']}",
        f"  {kinds}, format {facts['format_version']}, axes {axes}",
        f"  bounds {_numbers(facts['bounds'][0])} .. {_numbers(facts['bounds'][1])}",
        f"  {facts['vertex_count']:,} vertices, {facts['objects']:,} objects",
        "",
        f"  {'level':>5} {'vertices':>14} {'chunks':>8}  {'bin':<24} {'error p50 / p95 / max'}",
    ]
    for level in facts["levels"]:
        error = level["error"]
        shown = (
            "exact"
            if level is facts["levels"][0]
            else "not stored"
            if error is None
            else " / ".join(f"{error[key]:.4g}" for key in ("p50", "p95", "max"))
        )
        lines.append(
            f"  {level['level']:>5} {level['vertex_count']:>14,} {level['chunks']:>8,}"
            f"  {_numbers(level['bin_shape']):<24} {shown}"
        )
    lines += _objects_and_links(facts["levels"])
    if facts["attributes"]:
        lines += ["", "  attributes"]
        lines += [f"    {_attribute(attribute)}" for attribute in facts["attributes"]]
    lines += [f"  note: {warning}" for warning in facts["warnings"]]
    return "\n".join(map(plain, lines))


def _objects_and_links(levels: list[dict[str, Any]]) -> list[str]:
    """A table of them, where there are any."""
    if not any(level["objects"] or level["links"] for level in levels):
        return []
    lines = ["", f"  {'level':>5} {'objects':>14} {'links stored':>14}  link attributes"]
    for level in levels:
        links = level["links"] or {"count": 0, "attributes": []}
        count = "not recorded" if links["count"] is None else f"{links['count']:,}"
        names = ", ".join(links["attributes"]) or "none"
        lines.append(f"  {level['level']:>5} {level['objects']:>14,} {count:>14}  {names}")
    return lines


def _attribute(attribute: dict[str, Any]) -> str:
    text = f"{attribute['name']}: {attribute['dtype']}"
    if attribute["columns"] > 1:
        text += f" x {attribute['columns']}"
    if attribute["categories"] is not None:
        text += f", {attribute['categories']} categories"
    if attribute["unit"]:
        text += f" [{attribute['unit']}]"
    if attribute["limits"] is not None:
        text += f", {attribute['limits'][0]:.6g} .. {attribute['limits'][1]:.6g}"
    return text


def _numbers(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
