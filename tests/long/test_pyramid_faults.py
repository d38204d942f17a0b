"""Every fault in every geometry it applies to, in both formats, and the clean twins."""

import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.stream import Pace
from zv_viewer.testing.pyramid_faults import FAULTS, cases
from zv_viewer.testing.pyramid_scenes import KINDS, a_scene, make_pyramid, write_scene

pytestmark = [pytest.mark.slow, pytest.mark.once]


def inspected(place, tile):
    with open_zv(str(place)) as store:
        return inspect_store(store, pace=Pace(tile_rows=tile))


@pytest.mark.parametrize("tile", [600, 10**6])
@pytest.mark.parametrize(("fault", "kind", "version"), cases())
def test_a_fault_is_found_where_it_is(fault, kind, version, tile, tmp_path):
    planted = FAULTS[fault][0](a_scene(kind, seed=1), tmp_path / "s", version)
    report = inspected(tmp_path / "s", tile)
    assert any(planted.is_told_by(finding) for finding in report.findings)
    assert not {f.kind for f in report.alarms} - {planted.kind} - planted.beside
    assert all(f.level == planted.level for f in report.alarms)


@pytest.mark.parametrize("tile", [600, 10**6])
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "factors", [None, [(2, 1), (2, 2), (2, 1)], [(1.5, 1), (1.7, 1)], [(3, 1), (2, 2)]]
)
def test_a_clean_pyramid_raises_no_alarm(kind, seed, version, factors, tile, tmp_path):
    if kind == "points" and factors is not None:
        factors = [(coarsen, 1) for coarsen, _ in factors]
    make_pyramid(a_scene(kind, seed=seed), tmp_path / "s", version, factors=factors)
    assert inspected(tmp_path / "s", tile).alarms == ()


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", [(2, 8), (3, 9, 27), (1.3, 30)])
def test_levels_made_by_numbers_raise_no_alarm(kind, seed, version, parts, tmp_path):
    scene = a_scene(kind, seed=seed)
    write_scene(scene, tmp_path / "s", version)
    vertices = [int(len(scene.positions) / part) for part in parts]
    build_pyramid(tmp_path / "s", vertices=vertices, sparsity_seed=seed)
    for tile in (600, 10**6):
        assert inspected(tmp_path / "s", tile).alarms == ()
