"""Status texts say exact numbers and never more than is true."""

from types import SimpleNamespace

import pytest

from zv_viewer.model.settings import Budget
from zv_viewer.widgets import status


def stats(**changes):
    base = {
        "vertices_in_view_level0": 10_000_000,
        "vertices_drawn": 312_400,
        "levels_drawn": {2: 10, 3: 4},
        "holes": 0,
        "failed": 0,
        "queued": 0,
        "in_flight": 0,
        "settled": True,
        "object_share": 1.0,
        "tau_px": 1.44,
        "bytes_read": 12_345_678,
        "requests": 1234,
        "remote": True,
        "latency_s": 0.0512,
        "bytes_per_s": 2_400_000.0,
        "requests_in_flight": 12,
        "retries": 3,
        "waiting_for": "",
    }
    return SimpleNamespace(**(base | changes))


def test_a_part_is_called_a_part() -> None:
    assert status.completeness(stats()) == "312,400 for 10,000,000 vertices in view, levels 2-3"
    assert status.quality(stats()) == "within 1.4 px"


def test_objects_left_out_by_a_level_are_told() -> None:
    assert status.completeness(stats(object_share=1 / 64)).endswith("with 1.6 % of the objects")
    assert "objects" not in status.completeness(stats())


def test_exact_is_said_only_of_all_of_level_0() -> None:
    whole = {"levels_drawn": {0: 4}, "vertices_drawn": 9, "vertices_in_view_level0": 9}
    assert status.completeness(stats(**whole)) == "all 9 vertices in view, exact"
    assert status.quality(stats(**whole)) == "exact"
    assert "exact" not in status.completeness(stats(**whole, holes=1))
    assert "exact" not in status.completeness(stats(**(whole | {"levels_drawn": {0: 4, 1: 1}})))


def test_nothing_drawn() -> None:
    assert status.completeness(stats(vertices_drawn=0, levels_drawn={})).startswith("0 of")
    empty = stats(vertices_drawn=0, levels_drawn={}, vertices_in_view_level0=0)
    assert status.completeness(empty) == "nothing in view"


def test_activity() -> None:
    assert status.activity(stats(queued=3, in_flight=2)) == "loading 5 cells"
    assert status.activity(stats(in_flight=1)) == "loading 1 cell"
    assert status.activity(stats()) == "settled"
    assert status.activity(stats(settled=False)) == "planning"


def test_waiting_for_the_network_is_no_loading() -> None:
    held = stats(queued=3, in_flight=2, waiting_for="network")
    assert status.activity(held) == "5 cells wait for the network"


def test_network() -> None:
    whole = "51 ms, 2.4 MB/s, 12 requests under way, 3 sent again"
    assert status.network(stats()) == whole
    nothing = {"latency_s": None, "bytes_per_s": None, "requests_in_flight": 0, "retries": 0}
    assert status.network(stats(**nothing)) == "nothing asked for yet"
    assert "1 request under way" in status.network(stats(requests_in_flight=1))
    assert status.network(stats(remote=False)).startswith("none")


def test_trouble() -> None:
    assert status.trouble(stats()) == ""
    assert status.trouble(stats(failed=1)) == "1 cell cannot be read"
    assert "2 cells in view are not drawn" in status.trouble(stats(failed=3, holes=2))


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (7.2e12, "7200.0 GB")],
)
def test_sizes(count: float, text: str) -> None:
    assert status.size(count) == text


def test_traffic() -> None:
    assert status.traffic(stats()) == "12.3 MB in 1,234 requests"


def test_budget() -> None:
    assert status.budget(480_200, 0.0241, automatic=True) == "automatic: 480 k, frame 24 ms"
    assert status.budget(1_500_000, None, automatic=True) == "automatic: 1,500 k"
    assert status.budget(480_200, 0.0241, automatic=False) == "automatic"


def test_notes() -> None:
    assert status.notes(()) == "none"
    assert status.notes(("one", "two")) == "one\ntwo"


def test_share() -> None:
    total = Budget(1_500_000, 10**9)
    assert status.share(total, total) == "all"
    assert status.share(Budget(480_200, 2 * 10**8), total) == "480 k vertices, 200 MB"


def test_reason() -> None:
    assert status.reason(stats(reason="fine enough", selected_refused=0)) == "fine enough"
    assert status.reason(stats(reason="fine enough", selected_refused=3)) == (
        "fine enough; 3 selected objects are not at full resolution: more than 50% of the vertices "
        "and memory would be needed"
    )
