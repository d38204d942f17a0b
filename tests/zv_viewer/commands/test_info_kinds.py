"""``zv-view info`` tells all of a store, of whatever kind."""

import json
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import KINDS, make_store
from zarr_vectors.types.graphs import write_graph
from zv_viewer import cli

ENDS = {"mesh": 3}


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", KINDS)
def test_counts_objects_links_and_notes(kind: str, version: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / f"{kind}.zarrvectors"
    make_store(kind, path, format_version=version)
    assert cli.main(["info", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    (level,) = facts["levels"]
    points = kind in ("points", "objects")
    assert level["vertex_count"] == facts["vertex_count"] == (12 if kind == "line" else 240)
    assert level["objects"] == facts["objects"] == (0 if kind == "points" else 6)
    assert facts["geometry_types"] == ["point_cloud" if points else kind]
    assert not any("not seen" in note for note in facts["warnings"])
    if points:
        assert level["links"] is None
    else:
        assert level["links"]["width"] == ENDS.get(kind, 2)
        assert level["links"]["count"] > 0


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_the_table_has_every_level(version: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "net.zarrvectors"
    rng = np.random.default_rng(0)
    edges = np.stack([np.arange(999), np.arange(1, 1000)], axis=1)
    write_graph(
        path,
        rng.uniform(0, 80, (1000, 3)),
        edges,
        link_attributes={"length": rng.random(999).astype(np.float32)},
        chunk_shape=(20.0,) * 3,
        bin_shape=(5.0,) * 3,
        format_version=version,
    )
    build_pyramid(path, factors=[(2.0, 1.0)])
    assert cli.main(["info", str(path)]) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines()]
    at = rows.index(["level", "objects", "links", "stored", "link", "attributes"])
    assert rows[at + 1][2:] == ["999", "length"]
    assert rows[at + 2][0] == "1"
    assert 0 < int(rows[at + 2][2].replace(",", "")) <= 999


def test_what_is_not_seen_of_several_kinds_is_noted(tmp_path: Path, capsys) -> None:
    path = tmp_path / "both.zarrvectors"
    make_store("line", path)
    root = path / "zarr.json"
    facts = json.loads(root.read_text())
    facts["attributes"]["zarr_vectors"]["geometry_types"] = ["point_cloud", "line"]
    root.write_text(json.dumps(facts))
    assert cli.main(["info", str(path)]) == 0
    said = capsys.readouterr().out
    assert "note: the store is drawn as lines; its point clouds are not seen" in said
