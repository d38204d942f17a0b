"""Data is never run: what would run it is refused, and nothing here could."""

from __future__ import annotations

import ast
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import zarr_vectors
import zv_viewer
from zarr_vectors.constants import NODE
from zarr_vectors.exceptions import ZVError
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.harming import read_files
from zarr_vectors.testing.kinds import contents
from zarr_vectors.validate import validate

RUNS_CODE = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "diskcache"}
RUNS_CODE |= {"yaml", "jsonpickle"}
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}


class Payload:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return os.mkdir, (self.folder,)


@pytest.fixture
def payload(tmp_path: Path) -> tuple[bytes, Path]:
    """Bytes that make a folder when they are unpickled, and that folder."""
    folder = tmp_path / "ran"
    data = pickle.dumps(Payload(folder))
    pickle.loads(data)  # noqa: S301 - of this test
    assert folder.is_dir()
    folder.rmdir()
    return data, folder


def v3_codec(files: dict[str, bytes], key: str, data: bytes, name: str) -> None:
    document = json.loads(files[f"{key}/{NODE}"])
    document["codecs"] = [{"name": name, "configuration": {"id": "pickle"}}]
    files[f"{key}/{NODE}"] = json.dumps(document).encode()
    for cell in [cell for cell in files if cell.startswith(f"{key}/c/")]:
        files[cell] = data


def v2_filter(files: dict[str, bytes], key: str, data: bytes, name: str) -> None:
    """An array of Zarr 2 in place of one of Zarr 3."""
    del files[f"{key}/{NODE}"]
    document = {
        "zarr_format": 2,
        "shape": [1],
        "chunks": [1],
        "dtype": "|O",
        "compressor": None,
        "filters": [{"id": name, "protocol": 5}],
        "fill_value": 0,
        "order": "C",
    }
    files[f"{key}/.zarray"] = json.dumps(document).encode()
    files[f"{key}/0"] = data


def object_type(files: dict[str, bytes], key: str, data: bytes, name: str) -> None:
    document = json.loads(files[f"{key}/{NODE}"])
    document["data_type"] = name
    document["attributes"] = {**document.get("attributes", {}), "dtype": "O", "encoding": name}
    files[f"{key}/{NODE}"] = json.dumps(document).encode()
    for cell in [cell for cell in files if cell.startswith(f"{key}/c/")]:
        files[cell] = data


ROADS = [
    (v3_codec, "numcodecs.pickle"),
    (v3_codec, "pickle"),
    (v2_filter, "pickle"),
    (v2_filter, "json2"),
    (object_type, "O"),
    (object_type, "pickle"),
]


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize(
    ("road", "name"), ROADS, ids=lambda value: getattr(value, "__name__", value)
)
def test_a_payload_does_not_run(
    road: Callable[..., None],
    name: str,
    version: str,
    tmp_path: Path,
    payload: tuple[bytes, Path],
) -> None:
    data, ran = payload
    store = tmp_path / "store"
    points_store(store, cloud(20), chunk=50.0, format_version=version)
    files = read_files(store)
    arrays = [k.removesuffix(f"/{NODE}") for k in files if is_array(k, files)]
    chosen = [key for key in arrays if key.startswith("0/")][::3]
    assert chosen
    for key in chosen:
        changed = dict(files)
        road(changed, key, data, name)
        for path in files.keys() - changed.keys():
            (store / path).unlink()
        for path, new in changed.items():
            (store / path).parent.mkdir(parents=True, exist_ok=True)
            (store / path).write_bytes(new)
        try:
            contents(store)
        except ZVError as error:
            assert str(error)  # noqa: PT017 - an array that is not needed may go unread
        validate(store)
        assert not ran.exists()


def is_array(key: str, files: dict[str, bytes]) -> bool:
    return key.endswith(f"/{NODE}") and json.loads(files[key])["node_type"] == "array"


SOURCES = sorted(
    path
    for package in (zarr_vectors, zv_viewer)
    for path in Path(package.__file__).parent.rglob("*.py")
)


def runs_code(tree: ast.AST) -> list[str]:
    """What in a source could run data."""
    found = []
    for one in ast.walk(tree):
        if isinstance(one, ast.Import):
            found += [name.name for name in one.names if name.name.split(".")[0] in RUNS_CODE]
        elif isinstance(one, ast.ImportFrom) and (one.module or "").split(".")[0] in RUNS_CODE:
            found.append(str(one.module))
        elif isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in CALLS:
            found.append(one.func.id)
        elif isinstance(one, ast.keyword) and one.arg == "allow_pickle":
            refused = isinstance(one.value, ast.Constant) and one.value.value is False
            found += [] if refused else [one.arg]
    return found


@pytest.mark.once
def test_no_source_could_run_data() -> None:
    found = {str(path): runs_code(ast.parse(path.read_text())) for path in SOURCES}
    assert len(found) > 200
    assert not {path: what for path, what in found.items() if what}


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from marshal import loads", "eval(x)", "np.load(f, allow_pickle=True)"],
)
def test_such_a_source_is_found(source: str) -> None:
    assert runs_code(ast.parse(source))
