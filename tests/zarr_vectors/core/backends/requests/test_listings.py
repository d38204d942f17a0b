"""Listings page by page: a fault costs a page, and a listing without end is refused."""

from __future__ import annotations

from typing import Any

import obstore
import pytest

from zarr_vectors.core.backends.obstore_lists import list_below
from zarr_vectors.core.backends.obstore_reads import AsIs
from zarr_vectors.core.backends.requests import Request, Requests, Tally
from zarr_vectors.core.backends.stats import IOStats
from zarr_vectors.exceptions import StoreError


class Service:
    """Lists keys in pages, as obstore tells of them; some pages fail."""

    def __init__(self, keys: list[str], page: int = 3, fails: tuple[int, ...] = ()) -> None:
        self.keys, self.page, self.fails = keys, page, fails
        self.offsets: list[str | None] = []
        self.pages = 0

    def list(self, _: object, __: object, *, offset: str | None, chunk_size: int) -> Any:
        del chunk_size
        self.offsets.append(offset)
        return self._pages([key for key in self.keys if offset is None or key > offset])

    async def _pages(self, keys: list[str]) -> Any:
        for at in range(0, len(keys), self.page):
            self.pages += 1
            if self.pages in self.fails:
                raise ConnectionResetError("cut")
            yield [{"path": key} for key in keys[at : at + self.page]]


def listed(service: Service, simulation: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(obstore, "list", service.list)
    requests = Requests("s3://b", IOStats(clock=simulation.now))

    async def work(prefix: str, request: Request) -> list[str]:
        return await list_below(AsIs(None), prefix, request)  # type: ignore[arg-type]

    (found,) = simulation.run(requests.gather("list", work, ["v"], str, Tally()))
    return found


KEYS = [f"v/{number:03}" for number in range(20)]


def test_all_pages_come(simulation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(Service(KEYS), simulation, monkeypatch) == KEYS
    assert listed(Service([]), simulation, monkeypatch) == []


def test_after_a_fault_the_next_page_is_asked_for(
    simulation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(KEYS, fails=(3, 6))
    assert listed(service, simulation, monkeypatch) == KEYS
    assert service.offsets == [None, "v/005", "v/011"]
    assert service.pages == 7 + 2


def test_a_service_without_order_is_listed_again_from_the_start(
    simulation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(KEYS[::-1], fails=(3,))
    assert listed(service, simulation, monkeypatch) == KEYS
    assert service.offsets == [None, None]


def test_pages_without_end_are_refused(simulation: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(KEYS * 1000, page=20)
    with pytest.raises(StoreError, match="repeats"):
        listed(service, simulation, monkeypatch)
    assert service.pages == 2
