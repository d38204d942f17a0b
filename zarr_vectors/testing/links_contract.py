"""What every layout promises of links, stated once; each layout inherits it over each store."""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import pytest

from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.testing.layout_contract import Place
from zarr_vectors.typing import AnyArray

RATIOS: dict[int, list[tuple[int, int]] | None] = {0: None, 1: [(1, 2)] * 4, -1: [(2, 1)] * 4}
RATIOS[2] = [(1, 3), (1, 3), (1, 1), (1, 2)]


def some_links(width: int, rank: int, count: int = 60, seed: int = 0) -> LinkRecords:
    """Links of which about half are inside a chunk, with attributes of two shapes."""
    rng = np.random.default_rng(seed)
    near = rng.integers(0, 2, (count, width, rank)) * rng.integers(0, 2, (count, 1, 1))
    chunks = rng.integers(-3, 3, (count, 1, rank)) + near
    values: dict[str, AnyArray] = {
        "weight": rng.standard_normal(count).astype(np.float32),
        "colour": rng.integers(0, 255, (count, 3)).astype(np.uint8),
    }
    return LinkRecords(chunks, rng.integers(0, 40, (count, width)), values)


def grid_for(rank: int) -> ChunkGrid:
    """A box that holds the chunks of :func:`some_links`."""
    return ChunkGrid((-4,) * rank, (8,) * rank)


def as_rows(records: LinkRecords, kept: Sequence[bool] | None = None) -> list[tuple[object, ...]]:
    """Every link as a tuple: chunks, rows, values by name."""
    columns: list[AnyArray] = [records.chunks, records.rows]
    columns += [records.attributes[name] for name in sorted(records.attributes)]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [tuple(map(repr, row)) for k, row in enumerate(rows) if kept is None or kept[k]]


class Counting:
    """A backend that counts batches of reads.

    Args:
        backend: What answers.
    """

    def __init__(self, backend: StorageBackend) -> None:
        self._backend = backend
        self.batches = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the backend has
        return getattr(self._backend, name)

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Counted."""
        self.batches += 1
        return self._backend.get_many(keys)


class LinksContract:
    """Promises of :class:`zarr_vectors.core.layouts.base.KeepsLinks`."""

    @pytest.mark.parametrize(
        ("width", "rank", "delta"),
        [
            (2, 3, 0),
            (3, 3, 0),
            (4, 2, 0),
            (8, 2, 0),
            (1, 3, 0),
            (2, 4, 0),
            (2, 3, 1),
            (2, 4, -1),
            (3, 2, 2),
        ],
    )
    def test_links_come_back(self, place: Place, width: int, rank: int, delta: int) -> None:
        """Ends in the order they were given, attributes in dtype and shape; the count is known."""
        given = some_links(width, rank)
        ratio = RATIOS[delta]
        place.layout().put_links(
            "3",
            given,
            grid_for(rank),
            delta=delta,
            chunk_ratio=None if ratio is None else ratio[:rank],
        )
        layout = place.layout()
        family = layout.link_families("3", [delta, 7])[delta]
        assert (family.width, family.count, family.attributes) == (width, 60, ("colour", "weight"))
        found = layout.get_links("3", delta=delta, attributes=["weight", "colour"])
        assert found is not None
        assert sorted(as_rows(found)) == sorted(as_rows(given))
        for name, values in given.attributes.items():
            assert found.attributes[name].dtype == values.dtype
        again = place.layout().get_links("3", delta=delta, attributes=["weight", "colour"])
        assert again is not None
        assert as_rows(again) == as_rows(found)

    def test_links_inside_a_chunk_come_first(self, place: Place) -> None:
        """Chunk after chunk in ascending order, each chunk's as they were given."""
        given = some_links(2, 3)
        place.layout().put_links("0", given, grid_for(3))
        inside = (given.chunks == given.chunks[:, :1]).all(axis=(1, 2))
        order = sorted(np.flatnonzero(inside), key=lambda m: tuple(given.chunks[m, 0].tolist()))
        found = place.layout().get_links("0", attributes=list(given.attributes))
        assert found is not None
        rows = as_rows(given)
        assert as_rows(found)[: len(order)] == [rows[m] for m in order]

    @pytest.mark.parametrize("delta", [0, 1])
    def test_links_within_chunks(self, place: Place, delta: int) -> None:
        """Those whose ends at this level are all there, or whose first is; in the whole's order."""
        given = some_links(3, 3)
        place.layout().put_links("0", given, grid_for(3), delta=delta)
        layout = place.layout()
        whole = layout.get_links("0", delta=delta, attributes=["colour"])
        assert whole is not None
        wanted = sorted(set(map(tuple, given.chunks.reshape(-1, 3).tolist())))[::2]
        for chunks in (wanted, wanted[:1], [], [(3, 3, 3)]):
            own = whole.chunks[:, :1] if delta else whole.chunks
            kept = [all(tuple(end) in chunks for end in link) for link in own.tolist()]
            found = layout.get_links("0", delta=delta, within=chunks, attributes=["colour"])
            assert found is not None
            assert as_rows(found) == as_rows(whole, kept)
            assert found.attributes["colour"].shape[1:] == (3,)
            assert found.attributes["colour"].dtype == np.uint8
            begun = layout.get_links(
                "0", delta=delta, within=chunks, starting=True, attributes=["colour"]
            )
            assert begun is not None
            kept = [tuple(link[0]) in chunks for link in whole.chunks.tolist()]
            assert as_rows(begun) == as_rows(whole, kept)

    def test_only_cells_asked_for_are_read(self, place: Place) -> None:
        """A part of a level costs what the part holds: damage elsewhere is not met."""
        given = some_links(2, 3)
        place.layout().put_links("0", given, grid_for(3))
        inside = given.chunks[(given.chunks[:, 0] == given.chunks[:, 1]).all(axis=1), 0]
        first, last = (tuple(row) for row in (min(inside.tolist()), max(inside.tolist())))
        segment = "" if place.version.startswith("0.7") else "/0.0.0"
        key = place.data_key(f"0/links/0{segment}", last)
        shift = [str(c + 4) for c in last]
        key = key if not segment else f"0/links/0{segment}/c/{'/'.join(shift)}"
        place.backend.put_many({key: b"noise"})
        found = place.layout().get_links("0", within=[first])
        assert found is not None
        with pytest.raises(ArrayError) as caught:
            place.layout().get_links("0", within=[last])
        assert caught.value.chunk == last
        assert "0/links/0" in str(caught.value)
        assert place.backend.url in str(caught.value)

    def test_links_are_replaced(self, place: Place) -> None:
        """Nothing of the former ones is left, nor of their attributes; other deltas stay."""
        layout = place.layout()
        layout.put_links("0", some_links(2, 3), grid_for(3))
        layout.put_links("0", some_links(2, 3, seed=1), grid_for(3), delta=1)
        new = some_links(3, 3, count=5, seed=2)
        layout.put_links(
            "0", LinkRecords(new.chunks, new.rows, {"other": np.arange(5)}), grid_for(3)
        )
        layout = place.layout()
        families = layout.link_families("0", [0, 1])
        assert (families[0].width, families[0].count) == (3, 5)
        assert families[0].attributes == ("other",)
        assert families[1].attributes == ("colour", "weight")
        found = layout.get_links("0", attributes=["other"])
        assert found is not None
        assert sorted(as_rows(found)) == sorted(
            as_rows(LinkRecords(new.chunks, new.rows, {"other": np.arange(5)}))
        )
        with pytest.raises(ArrayError, match="weight"):
            layout.get_links("0", attributes=["weight"])

    def test_no_links(self, place: Place) -> None:
        """None where there is no family; none of them where the family is empty."""
        assert place.layout().get_links("0") is None
        assert place.layout().link_families("0", [0, 1]) == {}
        empty = LinkRecords(
            np.zeros((0, 3, 2), np.int64), np.zeros((0, 3), np.int64), {"w": np.zeros((0, 2), "f8")}
        )
        place.layout().put_links("0", empty, grid_for(2))
        found = place.layout().get_links("0", attributes=["w"])
        assert found is not None
        assert (found.chunks.shape, found.rows.shape) == ((0, 3, 2), (0, 3))
        assert found.attributes["w"].shape == (0, 2)
        assert found.attributes["w"].dtype == np.float64
        assert place.layout().link_families("0")[0].width == 3

    def test_links_that_do_not_fit_are_refused(self, place: Place) -> None:
        """Before anything is written."""
        good = some_links(2, 3, count=4)
        bad = [
            LinkRecords(good.chunks, good.rows[:, :1]),
            LinkRecords(good.chunks[:, :, 0], good.rows),
            LinkRecords(good.chunks.astype(float), good.rows),
            LinkRecords(good.chunks, good.rows, {"w": np.zeros(3)}),
            LinkRecords(good.chunks, good.rows, {"w": np.array(list("abcd"))}),
            LinkRecords(good.chunks + 2**60, good.rows),
        ]
        for records in bad:
            with pytest.raises(ArrayError):
                place.layout().put_links("0", records, grid_for(3))
        assert place.layout().link_families("0") == {}

    def test_links_cost_few_requests(self, place: Place) -> None:
        """What there is to know is read in one batch, the rest in one or two."""
        if place.backend.local_path is not None:
            pytest.skip("a disk is read array by array: it has no round trips to save")
        given = some_links(2, 3)
        place.layout().put_links("0", given, grid_for(3))
        asked = Counting(place.backend)
        layout_for(place.version, cast("StorageBackend", asked)).get_links(
            "0", attributes=["weight", "colour"]
        )
        assert asked.batches <= 3
