"""Runs inside a published release: ``peer_program.py GIVEN.npz ANSWER.npz``, actions by line."""

import json
import sys

import numpy as np

from zarr_vectors.types.points import read_points, write_points


def write(given, store, columns=(), object_columns=(), pyramid=0, shard=False, **options):
    """Write a store; attributes are the arrays named in ``columns``."""
    options["vertex_attributes"] = {name: given[f"v_{name}"] for name in columns}
    if "object_ids" in given:
        options["object_ids"] = given["object_ids"]
    if object_columns:
        options["object_attributes"] = {name: given[f"o_{name}"] for name in object_columns}
    if "groups" in options:
        options["groups"] = {int(k): v for k, v in options["groups"].items()}
    if "g_weight" in given:
        options["group_attributes"] = {"weight": given["g_weight"]}
    for name in ("chunk_shape", "bin_shape"):
        if name in options:
            options[name] = tuple(options[name])
    write_points(store, given["positions"], **options)
    if pyramid:
        from zarr_vectors.multiresolution.coarsen import build_pyramid

        build_pyramid(store, factors=[(2.0 ** (n + 1), 1.0) for n in range(pyramid)])
    if shard:
        pack(given, store)
    return {}


def pack(given, store):
    """Pack the chunks of a store into shards."""
    from zarr_vectors.sharding import io

    if hasattr(io, "ShardLayout"):
        io.shard_store(store, io.ShardLayout.OCTREE, 4)
    else:
        io.shard_store(store, shard_shape=3)
    return {}


def coarsen(given, store, count):
    """Build coarse levels."""
    from zarr_vectors.multiresolution.coarsen import build_pyramid

    build_pyramid(store, factors=[(2.0 ** (n + 1), 1.0) for n in range(count)])
    return {}


def add_attribute(given, store, name):
    """Add a vertex attribute to the finest level; values in stored order."""
    import asyncio

    from zarr_vectors.lazy import open_zv

    with open_zv(store)[0].writer() as writer:
        asyncio.run(writer.add_attribute(name, given["v_values"]))
    return {}


def read(given, store, columns=(), **options):
    """Read by the eager reader."""
    if "bbox" in options:
        options["bbox"] = tuple(np.array(corner) for corner in options["bbox"])
    found = read_points(store, attribute_names=list(columns) or None, **options)
    answer = {"positions": found["positions"]}
    answer |= {f"v_{name}": found["vertex_attributes"][name] for name in columns}
    if "object_ids" in found:
        answer["object_ids"] = found["object_ids"]
    return answer


def read_object_attribute(given, store, name):
    """Read one object attribute of level 0."""
    from zarr_vectors.core.arrays import read_object_attributes
    from zarr_vectors.core.store import get_resolution_level, open_store

    level = get_resolution_level(open_store(store), 0)
    return {"values": np.asarray(read_object_attributes(level, name))}


def write_paths(given, store, kind, columns=(), object_columns=(), pyramid=False, **options):
    """Write polylines, cut at ``starts``, or lines; attributes are those named."""
    from zarr_vectors.types.lines import write_lines
    from zarr_vectors.types.polylines import write_polylines

    options["chunk_shape"] = tuple(options["chunk_shape"])
    if "bin_shape" in options:
        options["bin_shape"] = tuple(options["bin_shape"])
    if "groups" in options:
        options["groups"] = {int(k): v for k, v in options["groups"].items()}
    if object_columns:
        options["object_attributes"] = {name: given[f"o_{name}"] for name in object_columns}
    if kind == "lines":
        values = {name: given[f"v_{name}"] for name in columns}
        write_lines(store, given["endpoints"], vertex_attributes=values or None, **options)
    else:
        cuts = given["starts"][1:-1]
        lines = np.split(given["positions"], cuts)
        values = {name: np.split(given[f"v_{name}"], cuts) for name in columns}
        write_polylines(store, lines, vertex_attributes=values or None, **options)
    if pyramid:
        from zarr_vectors.multiresolution.coarsen import build_pyramid

        build_pyramid(store, factors=[(2.0, 2.0)])
    return {}


def read_paths(given, store, kind, **options):
    """Read polylines, as rows and the count of rows of each, or lines."""
    from zarr_vectors.types.lines import read_lines
    from zarr_vectors.types.polylines import read_polylines

    if "bbox" in options:
        options["bbox"] = tuple(np.array(corner) for corner in options["bbox"])
    if "chunks" in options:
        options["chunks"] = [tuple(chunk) for chunk in options["chunks"]]
    if kind == "lines":
        return {"endpoints": read_lines(store, **options)["endpoints"]}
    lines = read_polylines(store, **options)["polylines"]
    parts = [part for line in lines for part in line]
    return {
        "positions": np.concatenate(parts) if parts else np.zeros((0, 3), np.float32),
        "segments": np.array([len(part) for part in parts], np.int64),
        "counts": np.array([sum(map(len, line)) for line in lines], np.int64),
    }


def read_attribute_rows(given, store, name, dtype, ncols):
    """Read a vertex attribute chunk by chunk, chunks ascending, rows as stored."""
    from zarr_vectors.core.arrays import list_chunk_keys, read_chunk_attributes
    from zarr_vectors.core.store import get_resolution_level, open_store

    level = get_resolution_level(open_store(store), 0)
    parts = [
        part
        for chunk in sorted(list_chunk_keys(level))
        for part in read_chunk_attributes(level, name, chunk, np.dtype(dtype), ncols)
    ]
    return {"values": np.concatenate(parts)}


def read_cross_links(given, store):
    """Read the links between chunks, each end as chunk coordinates and row."""
    from zarr_vectors.core import arrays
    from zarr_vectors.core.store import get_resolution_level, open_store

    level = get_resolution_level(open_store(store), 0)
    read = getattr(arrays, "read_cross_chunk_links", None) or arrays.read_links
    links = [[(*chunk, row) for chunk, row in link] for link in read(level)]
    return {"links": np.array(links, np.int64)}


def read_link_records(given, store, level, delta, width):
    """Read all links of a level and delta, each end as chunk coordinates and row."""
    from zarr_vectors.core import arrays
    from zarr_vectors.core.store import get_resolution_level, open_store

    group = get_resolution_level(open_store(store), level)
    if hasattr(arrays, "read_links"):
        links = [[(*c, r) for c, r in link] for link in arrays.read_links(group, delta=delta)]
    else:
        read = arrays.read_cross_chunk_links
        links = [[(*c, r) for c, r in link] for link in read(group, delta=delta)]
        for chunk in arrays.list_chunk_keys(group, f"links/{delta:+d}" if delta else "links/0"):
            for rows in arrays.read_chunk_links(group, chunk, link_width=width, delta=delta):
                links += [[(*chunk, int(r)) for r in row] for row in rows]
    return {"links": np.array(links, np.int64)}


def read_lazy(given, store, level, columns=(), box=None):
    """Read by the lazy API: vertices, attributes, objects as lines, and the vertices in a box."""
    from zarr_vectors.lazy import open_zv

    handle = open_zv(store)[level]
    answer = {"positions": handle.vertices.compute()}
    answer |= {f"v_{name}": np.asarray(handle.attributes[name].compute()) for name in columns}
    lines = handle.polylines.compute() if columns == [] else []
    answer["lines"] = np.concatenate(lines) if lines else np.zeros((0, 3), np.float32)
    if box is not None:
        corners = tuple(np.array(corner) for corner in box)
        answer["inside"] = handle.filter(bbox=corners).compute()["positions"]
    return answer


def validated(given, store, level):
    """Validate a store: errors as JSON, or what the validator itself fails with."""
    from zarr_vectors.validate import validate

    try:
        found = [str(error) for error in validate(store, level=level).errors]
    except ValueError as error:
        found = [f"it fails: {error}"]
    return {"errors": np.array(json.dumps(found))}


def read_tables(given, store, level, objects=(), groups=(), links=()):
    """Read attributes of objects, groups and links, and which objects have a value."""
    from zarr_vectors.core import arrays
    from zarr_vectors.core.store import get_resolution_level, open_store

    group = get_resolution_level(open_store(store), level)
    answer = {}
    for name in objects:
        answer[f"o_{name}"] = np.asarray(arrays.read_object_attributes(group, name))
        mask = arrays.read_object_attribute_present_mask(group, name)
        answer[f"m_{name}"] = np.ones(len(answer[f"o_{name}"])) if mask is None else mask
    for name in groups:
        answer[f"g_{name}"] = np.asarray(arrays.read_groupings_attributes(group, name))
    read = getattr(arrays, "read_link_attributes", None) or arrays.read_cross_chunk_link_attributes
    for name in links:
        answer[f"l_{name}"] = np.asarray(read(group, name))
    return answer


def write_link_records(given, store, store_as, **options):
    """Write links into a new store, in the forms the release of 0.9.2 knows."""
    from zarr_vectors.core import arrays
    from zarr_vectors.core.store import create_store, get_resolution_level

    corners = tuple((x,) * 3 for x in (-40.0, 39.0))
    level = get_resolution_level(create_store(store, bounds=corners, chunk_shape=(10.0,) * 3), 0)
    links = [[(tuple(end[:3]), end[3]) for end in link] for link in given["links"].tolist()]
    part = arrays.write_links(level, links, 3, link_width=len(links[0]), store=store_as, **options)
    arrays.write_link_attributes(
        level, "number", np.arange(len(links)), num_links=len(links), partition=part
    )
    return {}


def read_groups(given, store):
    """Read the groups as JSON."""
    from zarr_vectors.core.arrays import read_all_groupings
    from zarr_vectors.core.store import get_resolution_level, open_store

    found = read_all_groupings(get_resolution_level(open_store(store), 0))
    return {"groups": np.array(json.dumps([[int(i) for i in group] for group in found]))}


def write_parametric(given, store, objects, kinds, groups, tables, headers):
    """Write parametric objects into a new store, and keep headers in it."""
    from zarr_vectors.core.metadata import ParametricTypeDef
    from zarr_vectors.headers.registry import HeaderRegistry
    from zarr_vectors.types.parametric import write_parametric_objects

    options = {f: {k: np.array(v) for k, v in table.items()} for f, table in tables.items()}
    write_parametric_objects(
        store,
        objects,
        groups={int(k): v for k, v in groups.items()},
        custom_types=[ParametricTypeDef(*kind) for kind in kinds],
        create_new_store=True,
        **options,
    )
    for name, header in headers.items():
        HeaderRegistry(store).add(name, header)
    return {}


def read_parametric(given, store):
    """Read parametric objects and headers, as JSON."""
    from zarr_vectors.headers.registry import HeaderRegistry
    from zarr_vectors.types.parametric import read_parametric_objects

    registry = HeaderRegistry(store)
    headers = {name: registry.get(name) for name in registry.available_formats}
    return {
        "objects": np.array(json.dumps(read_parametric_objects(store))),
        "headers": np.array(json.dumps(headers)),
    }


def write_linked(
    given, store, form, columns=(), link_columns=(), object_columns=(), pyramid=0, **options
):
    """Write a graph or a mesh."""
    from zarr_vectors.multiresolution.coarsen import build_pyramid
    from zarr_vectors.types import graphs, meshes

    options["vertex_attributes"] = {name: given[f"v_{name}"] for name in columns}
    options["object_attributes"] = {name: given[f"o_{name}"] for name in object_columns}
    if link_columns:
        options["link_attributes"] = {name: given[f"l_{name}"] for name in link_columns}
    if "object_ids" in given:
        options["object_ids"] = given["object_ids"]
    options["chunk_shape"] = tuple(options["chunk_shape"])
    write = graphs.write_graph if form == "graph" else meshes.write_mesh
    answer = write(store, given["positions"], given["links"], **options)
    if pyramid:
        build_pyramid(store, factors=[(2.0 ** (n + 1), 1.0) for n in range(pyramid)])
    return {k: np.array(v) for k, v in answer.items() if k.endswith("count")}


def read_linked(given, store, form, **options):
    """Read a graph or a mesh."""
    from zarr_vectors.types import graphs, meshes

    if "bbox" in options:
        options["bbox"] = tuple(np.array(corner) for corner in options["bbox"])
    if "chunks" in options:
        options["chunks"] = [tuple(chunk) for chunk in options["chunks"]]
    if form == "graph":
        found = graphs.read_graph(store, **options)
        return {"positions": found["positions"], "links": found["edges"]}
    found = meshes.read_mesh(store, **options)
    return {"positions": found["vertices"], "links": found["faces"]}


def serve(source, target):
    """Answer each line ``[action, arguments]``; say ``done`` or what went wrong."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    actions = {
        f.__name__: f
        for f in (
            write,
            read,
            pack,
            coarsen,
            add_attribute,
            read_tables,
            read_lazy,
            validated,
            read_object_attribute,
            write_paths,
            read_paths,
            read_attribute_rows,
            read_cross_links,
            read_link_records,
            write_link_records,
            read_groups,
            write_parametric,
            read_parametric,
            write_linked,
            read_linked,
        )
    }
    for line in sys.stdin:
        action, arguments = json.loads(line)
        try:
            with np.load(source) as arrays:
                np.savez(target, **actions[action](dict(arrays), **arguments))
            word = "done"
        except Exception as error:  # noqa: BLE001  it is told to the test, which fails
            word = repr(error).replace("\n", " ")
        print(word, file=answers, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
