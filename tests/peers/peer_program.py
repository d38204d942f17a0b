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
    for name in ("chunk_shape", "bin_shape"):
        if name in options:
            options[name] = tuple(options[name])
    write_points(store, given["positions"], **options)
    if pyramid:
        from zarr_vectors.multiresolution.coarsen import build_pyramid

        build_pyramid(store, factors=[(2.0 ** (n + 1), 1.0) for n in range(pyramid)])
    if shard:
        from zarr_vectors.sharding import io

        if hasattr(io, "ShardLayout"):
            io.shard_store(store, io.ShardLayout.OCTREE, 4)
        else:
            io.shard_store(store, shard_shape=3)
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


def serve(source, target):
    """Answer each line ``[action, arguments]``; say ``done`` or what went wrong."""
    answers = sys.stdout
    sys.stdout = sys.stderr
    actions = {
        f.__name__: f
        for f in (write, read, read_object_attribute, write_parametric, read_parametric)
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
