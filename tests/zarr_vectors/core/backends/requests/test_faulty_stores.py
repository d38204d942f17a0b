"""Stores read through a network that fails: the truth, or an error with a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from zarr_vectors.core.backends import open_backend
from zarr_vectors.exceptions import StoreUnreachable
from zarr_vectors.testing.faulty import QUICK, Tally, filled, read_through_faults
from zarr_vectors.testing.harming import read_files
from zarr_vectors.testing.kinds import contents, make_store
from zarr_vectors.testing.servers import Server, from_number, http_server

pytestmark = pytest.mark.once


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("service", ["web", "s3"])
def test_five_faults_in_a_hundred_requests_change_nothing(
    service: str, version: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    tally = Tally()
    for kind in ("line", "polyline"):
        make_store(kind, tmp_path / kind, format_version=version)
        truth = contents(tmp_path / kind)
        if service == "s3":
            server: Server = request.getfixturevalue("s3")
            filled(server, f"{version}/{kind}", read_files(tmp_path / kind))
            name = f"{version}/{kind}"
            read_through_faults(server, name, truth, tally, rate=0.05, seed=1)
        else:
            with http_server(tmp_path) as server:
                read_through_faults(server, kind, truth, tally, rate=0.05, seed=1)
    assert tally.right >= 1, str(tally)
    assert tally.retries > 5


def test_a_place_that_comes_back_is_read_on(tmp_path: Path) -> None:
    make_store("line", tmp_path / "line")
    truth = contents(tmp_path / "line")
    with http_server(tmp_path) as server:
        options = {**server.options, "retry_config": {"max_retries": 0}, "policy": QUICK}
        place = open_backend(server.at("line"), **options)
        for number in (2, 5, 40):
            server.network.clear()
            server.network.rule = from_number(number, "reset")
            with pytest.raises(StoreUnreachable):
                contents(open_backend(server.at("line"), **options))
        server.network.clear()
        assert repr(contents(place)) == repr(truth)
