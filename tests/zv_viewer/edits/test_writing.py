"""Attributes written to stores of both formats: dry run, write, undo, redo, and what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.journal import FOLDER
from zarr_vectors.exceptions import Cancelled, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.sharding.io import shard_store
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.surfaces import write_sheets
from zarr_vectors.types.points import write_points
from zv_viewer.edits.dry_run import DryRun, rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import PROVENANCE, Request
from zv_viewer.edits.sources import FromExpression, FromFeatures, FromFile, FromObjects, FromRule
from zv_viewer.errors import InputError

VERSIONS = ("0.7.0", "0.9.2")
_made: dict[tuple[str, str], dict[str, bytes]] = {}


def items_of(kind: str, version: str) -> dict[str, bytes]:
    """A pyramid of two levels, made once."""
    if (kind, version) not in _made:
        place = DictPlace()
        if kind == "mesh":
            write_sheets(place, side=12, levels=1, format_version=version)
        else:
            make_store(kind, place, format_version=version)
            build_pyramid(place, factors=[(2.0, 1.0)])
        _made[kind, version] = place.items
    return _made[kind, version]


class Counting(DictPlace):
    """Remembers what is written and removed, but for the journal's own."""

    def __init__(self, items: dict[str, bytes]) -> None:
        super().__init__(items)
        self.changed: dict[str, int | None] = {}

    def put_many(self, items) -> None:
        for key, data in items.items():
            if not key.startswith(FOLDER):
                self.changed[key] = len(data)
        super().put_many(items)

    def delete_many(self, keys) -> None:
        gone = list(keys)
        self.changed.update((key, None) for key in gone if not key.startswith(FOLDER))
        super().delete_many(gone)


def place_of(where: str, items: dict[str, bytes], folder: Path) -> object:
    if where == "memory":
        return Counting(items)
    for key, data in items.items():
        file = folder / "store" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return str(folder / "store")


def contents(place: object) -> dict[str, bytes]:
    if isinstance(place, DictPlace):
        return {k: v for k, v in place.items.items() if not k.startswith(FOLDER)}
    root = Path(str(place))
    files = [file for file in root.rglob("*") if file.is_file()]
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def seen(dry: DryRun) -> dict[str, int | None]:
    """What a dry run says will change."""
    return {c.key: None if c.new is None else c.new.length for c in dry.changes}


ONCE = pytest.mark.once
KIND_OF = {"vertex": "objects", "node": "skeleton", "face": "mesh", "object": "polyline"}


@pytest.mark.parametrize(
    ("version", "where"),
    [
        ("0.7.0", "memory"),
        ("0.9.2", "local"),
        pytest.param("0.9.2", "memory", marks=ONCE),
        pytest.param("0.7.0", "local", marks=ONCE),
    ],
)
@pytest.mark.parametrize("scope", list(KIND_OF))
def test_the_dry_run_is_what_happens(scope, version, where, tmp_path: Path) -> None:
    """Keys, bytes and chunks of the real write are those told; undo is byte-identical."""
    place = place_of(where, items_of(KIND_OF[scope], version), tmp_path)
    before = contents(place)
    history = History(tmp_path / "history")
    handle = open_handle(place)
    text = {
        "vertex": "age * 2 + x",
        "node": "age + object_id",
        "face": "x + 100 * object_id",
        "object": "size*2",
    }
    request = Request("new", scope, FromExpression(text[scope]), description="a test")
    with rehearse(handle, request) as dry:
        assert contents(place) == before
        assert not dry.conflicts
        edit = history.write(handle, dry)
        after = contents(place)
        told = seen(dry)
        differ = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        assert differ == set(told)
        assert {k: len(after[k]) if k in after else None for k in differ} == told
        if isinstance(place, Counting):
            assert place.changed == told
        geometry = {"vertices", "vertex_fragments", "links", "object_index", "link_fragments"}
        assert not any(set(key.split("/")[1:2]) & geometry for key in told)
        assert dry.bytes_written == sum(size for size in told.values() if size)
        cells = [k for k in told if "/c/" in k and k.startswith("0/") and scope != "object"]
        assert len(cells) == dry.chunks.get(0, 0)
    check_values(place, scope)
    again = History(tmp_path / "history")  # as after a restart of the program
    found = again.can_undo(open_handle(place))
    assert found == edit
    again.undo(open_handle(place), found)
    assert contents(place) == before
    if where == "local":
        assert not (tmp_path / "store" / "0" / handle_family(scope) / "new").exists()
    assert again.can_undo(open_handle(place)) is None
    again.redo(open_handle(place), again.can_redo(open_handle(place)))
    assert contents(place) == after


def handle_family(scope: str) -> str:
    return {"face": "face_attributes", "object": "object_attributes"}.get(
        scope, "vertex_attributes"
    )


def check_values(place: object, scope: str) -> None:
    store = open_zv(place)
    level = store[0]
    if scope == "object":
        np.testing.assert_array_equal(level.object_attribute("new"), np.arange(6) * 3.0)
        assert store[1].object_attribute("new").tolist() == level.object_attribute("new").tolist()
        return
    if scope == "face":
        check_faces(store)
        return
    values, ages = level.attributes["new"].compute(), level.attributes["age"].compute()
    if scope == "vertex":
        expected = ages * 2 + level.vertices.compute()[:, 0]
        np.testing.assert_allclose(values, expected, rtol=1e-6)
        spec = level.attribute_specs["new"]
        assert spec.limits == (float(values.min()), float(values.max()))
        assert spec.description == "a test"
    assert values.dtype == ("float64" if scope == "vertex" else "int64")
    coarse = store[1].attributes["new"].compute()
    assert len(coarse) == store[1].vertex_count
    assert np.isfinite(coarse).all()
    for number in (0, 1):
        path = f"{number}/vertex_attributes/new"
        kept = open_handle(place).layout.array_metas([path])[path][PROVENANCE]
        assert kept["source"] == "expression"
        assert kept["aggregation"] == "mean"
        assert kept["program"].startswith("zv-viewer ")


def check_faces(store) -> None:
    """Faces have the middle of their corners; coarse ones about that of those behind them."""
    for level, apart in ((store[0], 1e-9), (store[1], 2.5)):
        faces, values = level.read_inner_faces(level.chunk_keys, ["new"])
        rows = level.read_chunks(level.chunk_keys)
        parts = np.split(faces.corners, np.cumsum(faces.counts)[:-1])
        own = [rows[k].positions[part] for k, part in zip(faces.keys(), parts, strict=True)]
        middle = np.concatenate(own).mean(axis=1)
        expected = middle[:, 0] + 100 * (middle[:, 2] > 2)
        assert len(expected) > 20
        np.testing.assert_allclose(values["new"], expected, atol=apart)


@pytest.mark.parametrize("version", VERSIONS)
def test_replacing_and_its_conflicts(version: str, tmp_path: Path) -> None:
    place = Counting(items_of("objects", version))
    before = contents(place)
    history, handle = History(tmp_path), open_handle(place)
    request = Request("age", "vertex", FromExpression("age / 2"))
    with rehearse(handle, request) as dry:
        assert dry.conflicts == (
            "level 0 has a vertex attribute 'age' of another type: int16, not float64",
            "level 1 has a vertex attribute 'age' of another type: int16, not float64",
        )
        with pytest.raises(InputError, match="another name"):
            history.write(handle, dry)
    assert not place.changed
    ages = open_zv(place)[0].attributes["age"].compute()
    with rehearse(handle, Request("age", "vertex", FromExpression("age / 2"), replace=True)) as dry:
        assert len(dry.notes) == 2
        assert dry.bytes_replaced > 0
        edit = history.write(handle, dry)
        told = seen(dry)
    assert {k: v for k, v in place.changed.items() if v is not None} == {
        k: v for k, v in told.items() if v is not None
    }
    np.testing.assert_array_equal(open_zv(place)[0].attributes["age"].compute(), ages / 2)
    with rehearse(open_handle(place), Request("b", "vertex", FromExpression("age"))) as dry:
        second = history.write(open_handle(place), dry)
    with pytest.raises(InputError, match="latest first: write vertex attribute 'b', of 2"):
        history.undo(open_handle(place), edit)
    for one in (second, edit):
        history.undo(open_handle(place), one)
    assert contents(place) == before


def test_one_level_alone_says_what_the_others_keep(tmp_path: Path) -> None:
    handle = open_handle(DictPlace(items_of("points", "0.9.2")))
    request = Request("age", "vertex", FromExpression("age"), carry=False, replace=True)
    with rehearse(handle, request, folder=tmp_path) as dry:
        assert dry.notes[-1] == "level 1 keeps the 'age' it has (int16)"
        assert not any(change.key.startswith("1/vertex_attributes") for change in dry.changes)
    assert not list(tmp_path.iterdir())
    with rehearse(handle, Request("n", "vertex", FromExpression("age"), level=1)) as dry:
        assert {c.key.split("/")[0] for c in dry.changes} == {"1", "zarr.json"}


@pytest.mark.parametrize("version", VERSIONS)
def test_cancelled_at_every_step(version: str, tmp_path: Path) -> None:
    place = DictPlace(items_of("objects", version))
    before = contents(place)
    handle, history = open_handle(place), History(tmp_path)
    request = Request("age", "vertex", FromExpression("age+1"), replace=True)

    def after(steps: int):
        left = iter(range(steps))
        return lambda: next(left, None) is None

    for steps in (0, 1, 2, 3):
        with pytest.raises(Cancelled):
            rehearse(handle, request, cancelled=after(steps))
    with rehearse(handle, request) as dry:
        for steps in (0, 1, 2):
            with pytest.raises(Cancelled, match="as before"):
                history.write(handle, dry, cancelled=after(steps))
            assert contents(place) == before
        assert history.edits(dry.url) == []
        shares: list[float] = []
        history.write(handle, dry, progress=lambda share, text: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_store_changed_in_between(tmp_path: Path) -> None:
    place = DictPlace(items_of("objects", "0.9.2"))
    handle, history = open_handle(place), History(tmp_path)
    with rehearse(handle, Request("new", "vertex", FromExpression("age"))) as dry:
        with open_zv(place)[0].writer() as writer:
            writer.add_attribute_sync("other", np.arange(240))
        with pytest.raises(StoreError, match="since the dry run"):
            history.write(handle, dry)
    with rehearse(open_handle(place), Request("new", "vertex", FromExpression("age"))) as dry:
        edit = history.write(open_handle(place), dry)
    (edit.folder / "old").write_bytes(b"x" * (edit.folder / "old").stat().st_size)
    before = contents(place)
    with pytest.raises(StoreError, match="damaged"):
        history.undo(open_handle(place), edit)
    assert contents(place) == before


def test_what_cannot_be_kept_for_undo_is_not_written(tmp_path: Path, monkeypatch) -> None:
    place, history = DictPlace(items_of("points", "0.7.0")), History(tmp_path / "h")
    before = contents(place)
    monkeypatch.setattr("zv_viewer.edits.saved.LARGEST", 100)
    handle = open_handle(place)
    with (
        rehearse(handle, Request("half", "vertex", FromExpression("age / 2"))) as dry,
        pytest.raises(InputError, match="keys are more than can be kept for undo"),
    ):
        history.write(handle, dry)
    assert contents(place) == before
    assert not any(history._of(dry.url).iterdir())


def test_a_store_that_cannot_be_written_says_so_first(tmp_path: Path) -> None:
    place = DictPlace(items_of("points", "0.7.0"))
    handle = open_handle(place)
    place.read_only = True

    class Never(FromExpression):
        def open(self, rows, scratch, check):
            raise AssertionError("work was begun")

    with pytest.raises(StoreError, match="cannot be written to"):
        rehearse(handle, Request("n", "vertex", Never("1")))
    local = place_of("local", items_of("points", "0.7.0"), tmp_path)
    (tmp_path / "store").chmod(0o500)
    if os.access(tmp_path / "store", os.W_OK):
        return  # a superuser may write anywhere
    with pytest.raises(StoreError, match="read-only for you"):
        rehearse(open_handle(local), Request("n", "vertex", Never("1")))


def written(place: DictPlace, request: Request, folder: Path):
    handle = open_handle(place)
    with rehearse(handle, request) as dry:
        History(folder).write(handle, dry)
    return dry


@pytest.mark.parametrize("version", VERSIONS)
def test_every_source(version: str, tmp_path: Path) -> None:
    place = DictPlace(items_of("objects", version))
    ids = open_zv(place)[0].present_oids
    owners = np.concatenate(
        [np.full(len(open_zv(place)[0].objects[i].compute()["positions"]), i) for i in ids.tolist()]
    )
    table = tmp_path / "secret-folder" / "values.csv"
    table.parent.mkdir()
    table.write_text("id;name;grade\n" + "".join(f"{i};n{i % 2};{i / 4}\n" for i in ids[::-1]))
    np.save(tmp_path / "rows.npy", np.arange(240, dtype=np.uint16))
    by_id = {"by": "object", "id_column": "id"}
    sources = {
        "grade": FromFile(table, "grade", **by_id),
        "name": FromFile(table, "name", **by_id),
        "rows": FromFile(tmp_path / "rows.npy", "rows"),
        "chosen": FromObjects(np.array([1, 3])),
        "said": FromObjects(np.array([1, 3]), ("in", "out")),
        "near": FromRule(lambda p, a: (p[:, 0] > 0) & (a["age"] > 50), ("age",), "a lasso"),
        "feature": FromFeatures("Points", {"q": np.arange(240.0)}, "q"),
    }
    for name, source in sources.items():
        written(place, Request(name, "vertex", source), tmp_path / "history")
    level = open_zv(place)[0]
    values = {name: level.attributes[name].compute() for name in sources}
    np.testing.assert_array_equal(np.unique(values["grade"]), ids / 4)
    np.testing.assert_array_equal(np.sort(values["grade"]), np.sort(owners) / 4)
    assert (values["name"] == np.where(values["grade"] * 4 % 2 == 0, "n0", "n1")).all()
    np.testing.assert_array_equal(values["rows"], np.arange(240))
    assert values["rows"].dtype == np.uint16
    chosen = np.isin(values["grade"] * 4, [1, 3])
    np.testing.assert_array_equal(values["chosen"], chosen)
    assert values["chosen"].dtype == np.bool_
    assert (values["said"] == np.where(chosen, "in", "out")).all()
    inside = (level.vertices.compute()[:, 0] > 0) & (level.attributes["age"].compute() > 50)
    np.testing.assert_array_equal(values["near"], inside)
    np.testing.assert_array_equal(values["feature"], np.arange(240.0))
    assert not any(b"secret-folder" in data for data in place.items.values())
    for name, source in (("size2", sources["grade"]), ("flag", sources["chosen"])):
        written(place, Request(name, "object", source), tmp_path / "history")
    np.testing.assert_array_equal(open_zv(place)[0].object_attribute("size2"), ids / 4)
    assert open_zv(place)[1].object_attribute("flag").tolist() == np.isin(ids, [1, 3]).tolist()


def test_objects_without_a_row(tmp_path: Path) -> None:
    place = DictPlace(items_of("objects", "0.7.0"))
    table = tmp_path / "some.csv"
    table.write_text("id,grade\n0,5\n2,7\n99,1\n")
    lax = FromFile(table, "grade", by="object", id_column="id", strict=False)
    strict = FromFile(table, "grade", by="object", id_column="id")
    with pytest.raises(InputError, match=r"4 of 6 objects have no row in some\.csv, the first is"):
        rehearse(open_handle(place), Request("g", "object", strict))
    dry = written(place, Request("g", "object", lax), tmp_path)
    assert dry.notes == (
        "4 of 6 objects have no row in some.csv: they get no value",
        "1 of 3 rows of some.csv name no object",
    )
    assert dry.summary.without_value == 4
    found = open_zv(place)[0].object_attribute("g", masked=True)
    assert found.tolist() == [5, None, 7, None, None, None]
    written(place, Request("v", "vertex", lax), tmp_path)
    values = open_zv(place)[0].attributes["v"].compute()
    assert set(values[np.isfinite(values)]) == {5.0, 7.0}
    assert np.isnan(values).any()


@pytest.mark.parametrize(
    ("scope", "source", "sentence"),
    [
        ("face", FromExpression("1"), "has no faces"),
        ("vertex", FromExpression("nothing + 1"), "has no vertex 'nothing'; it has age, kind, rgb"),
        ("object", FromExpression("age"), "has no object 'age'; it has"),
        ("vertex", FromFeatures("L", {"q": np.arange(3)}, "q"), "layer 'L' has 3 rows, and there"),
        ("vertex", FromFeatures("L", {"q": np.zeros(3)}, "z"), "has no column 'z'"),
        ("vertex", FromObjects(np.array([77])), "no object is selected"),
        ("vertex", FromObjects(np.array([1]), ("a", "a")), "must differ"),
        ("object", FromRule(lambda p, a: p[:, 0] > 0, (), "x"), "write the scope vertex"),
        ("vertex", FromExpression("where(age > 50, nan, 1)"), "cannot be stored as int8"),
    ],
)
def test_what_does_not_fit(scope, source, sentence) -> None:
    place = DictPlace(items_of("objects", "0.7.0"))
    with pytest.raises(InputError, match=sentence) as told:
        rehearse(open_handle(place), Request("n", scope, source, dtype="int8"))
    assert "\n" not in str(told.value)
    assert place.items == items_of("objects", "0.7.0")


@pytest.mark.parametrize("version", VERSIONS)
def test_packed_chunks_and_chunks_by_an_attribute(version: str, tmp_path: Path) -> None:
    packed = DictPlace(items_of("points", version))
    shard_store(packed, shard_size=2)
    rng = np.random.default_rng(0)
    by_value = DictPlace()
    write_points(
        by_value,
        rng.uniform(0, 50, (99, 3)),
        chunk_shape=(20.0,) * 3,
        vertex_attributes={"lead": rng.integers(0, 3, 99), "age": rng.integers(0, 9, 99)},
        chunk_by_attribute="lead",
        format_version=version,
    )
    for place in (packed, by_value):
        before = contents(place)
        ages = open_zv(place)[0].attributes["age"].compute()
        history, request = History(tmp_path), Request("age", "vertex", FromExpression("age + 1"))
        with rehearse(open_handle(place), replace(request, replace=True)) as dry:
            edit = history.write(open_handle(place), dry)
        np.testing.assert_array_equal(open_zv(place)[0].attributes["age"].compute(), ages + 1)
        history.undo(open_handle(place), edit)
        assert contents(place) == before
    with pytest.raises(InputError, match="chunked by 'lead'"):
        rehearse(open_handle(by_value), Request("lead", "vertex", FromExpression("age")))


@pytest.mark.filterwarnings("ignore")
def test_a_repository_takes_an_edit_as_one_commit(tmp_path: Path) -> None:
    pytest.importorskip("icechunk")
    url = f"icechunk+file://{tmp_path}/repository"
    make_store("points", url, chunk_shape=(60.0,) * 3, bin_shape=(30.0,) * 3)
    history = History(tmp_path / "h")
    with rehearse(open_handle(url), Request("new", "vertex", FromExpression("x"))) as dry:
        edit = history.write(open_handle(url), dry)
    level = open_zv(url)[0]
    x = level.vertices.compute()[:, 0]
    np.testing.assert_array_equal(level.attributes["new"].compute(), x)
    history.undo(open_handle(url), edit)
    assert "new" not in open_zv(url)[0].attribute_specs


@pytest.mark.parametrize("harm", ["text", "half", "deep", "lost", "empty"])
def test_an_edit_that_cannot_be_read_is_told(harm: str, tmp_path: Path) -> None:
    place, history = DictPlace(items_of("points", "0.9.2")), History(tmp_path)
    edits = []
    for name in ("first", "second"):
        with rehearse(open_handle(place), Request(name, "vertex", FromExpression("age"))) as dry:
            edits.append(history.write(open_handle(place), dry))
    handle, description = open_handle(place), edits[1].folder / "edit.json"
    assert history.notices(handle) == []
    text = description.read_text()
    harmed = {"text": "no json", "half": text[: len(text) // 2], "deep": "[" * 10**5, "empty": "{}"}
    if harm == "lost":
        (edits[1].folder / "old").unlink()
    else:
        description.write_text(harmed[harm])
    assert history.edits(dry.url) == edits[:1]
    ((told),) = history.unreadable(dry.url)
    assert edits[1].folder.name in told
    first, second = history.notices(handle)
    assert "an edit kept of" in first
    assert told in first
    assert "was changed otherwise since the last edit kept of it" in second
    assert history.can_undo(handle) is None


def test_what_a_killed_program_had_begun_is_removed_in_time(tmp_path: Path) -> None:
    place, history = DictPlace(items_of("points", "0.9.2")), History(tmp_path)
    handle = open_handle(place)
    left = [history._of(handle.backend.url) / f"{year}0101T000000000000-x" for year in (2001, 9001)]
    for folder in left:
        folder.mkdir(parents=True)
        (folder / "new").write_bytes(b"x")
    assert history.notices(handle) == []
    with rehearse(handle, Request("new", "vertex", FromExpression("age"))) as dry:
        history.write(handle, dry)
    assert [folder.exists() for folder in left] == [False, True]


@pytest.mark.parametrize("version", VERSIONS)
def test_faces_from_every_source(version: str, tmp_path: Path) -> None:
    place = DictPlace(items_of("mesh", version))
    count = sum(open_zv(place)[0].read_inner_faces(open_zv(place)[0].chunk_keys)[0].counts)
    np.save(tmp_path / "rows.npy", np.arange(count))
    table = tmp_path / "grades.csv"
    table.write_text("id,grade\n0,good\n1,bad\n")
    sources = {
        "row": FromFile(tmp_path / "rows.npy", "rows"),
        "grade": FromFile(table, "grade", by="object", id_column="id"),
        "upper": FromObjects(np.array([1])),
        "left": FromRule(lambda p, a: (p[:, 0] < 5) & (a["age"] >= 0), ("age",), "a lasso"),
        "older": FromExpression("age > 100"),
    }
    for name, source in sources.items():
        dry = written(place, Request(name, "face", source), tmp_path / "history")
        assert "reach from one chunk to another: the format keeps no values" in dry.notes[0]
        assert set(dry.chunks) == {0, 1}
    _, values = open_zv(place)[0].read_inner_faces(open_zv(place)[0].chunk_keys, sources)
    assert values["row"].tolist() == list(range(count))
    assert values["upper"].dtype == np.bool_
    assert values["grade"].tolist() == np.where(values["upper"], 0, 1).tolist()
    assert 0 < values["left"].sum() < count
    for name in sources:
        assert open_zv(place)[1].face_attribute_specs[name].dtype == values[name].dtype
    with pytest.raises(InputError, match="'kind' holds categories of vertices"):
        rehearse(open_handle(place), Request("k", "face", FromExpression("kind + 1")))
    with pytest.raises(InputError, match="no face 'nothing'; it has grade, left, older, row"):
        rehearse(open_handle(place), Request("k", "face", FromExpression("nothing")))


def test_a_mesh_whose_faces_all_cross_says_so(tmp_path: Path) -> None:
    place = DictPlace()
    write_sheets(place, side=4, chunk=1.0, levels=0)
    with pytest.raises(InputError, match="lies inside one chunk: the format"):
        rehearse(open_handle(place), Request("k", "face", FromExpression("1")), folder=tmp_path)
