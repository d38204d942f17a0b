"""Tables of objects made up."""

from __future__ import annotations

import numpy as np
import pytest

from zv_viewer.model.objects import ObjectColumn, ObjectGroups, ObjectTable, category_column
from zv_viewer.model.texts import TextIndex

KINDS = ("Astrocyte", "neuron", "Ångström", "glia")


def make_table(objects: int = 500, seed: int = 0) -> ObjectTable:
    """A table with a column of every sort, values missing among them."""
    rng = np.random.default_rng(seed)
    ids = np.unique(rng.integers(0, 10**12, objects))
    n = len(ids)
    size = rng.normal(size=n).astype(np.float32)
    size[rng.random(n) < 0.1] = np.nan
    names = tuple(f"cell {k}-{k % 7}" for k in range(n))
    columns = (
        ObjectColumn("size", size, "um"),
        ObjectColumn("count", rng.integers(-5, 30, n), missing=rng.random(n) < 0.2),
        ObjectColumn("big", rng.integers(2**62, 2**62 + 20, n)),
        category_column("kind", rng.integers(-1, len(KINDS), n), KINDS),
        category_column("name", rng.permutation(n), names),
        *(
            ObjectColumn(f"rgb[{k}]", rng.integers(0, 256, n).astype(np.uint8), attribute="rgb")
            for k in range(3)
        ),
    )
    members = [rng.integers(0, n, k) for k in (n // 4, n // 10, 0)]
    return ObjectTable(
        ids,
        columns,
        ObjectGroups.of(["left tract", "Right tract", "empty"], members),
        vertices=rng.integers(1, 100, n),
        length=rng.random(n) * 50,
        levels=rng.integers(1, 16, n).astype(np.uint64),
        level_numbers=(0, 1, 2, 3),
        id_text=TextIndex.of(ids.tolist()),
    )


@pytest.fixture(scope="session")
def table() -> ObjectTable:
    return make_table()
