from __future__ import annotations

import pytest
import zarr
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import MemoryStore

from zarr_vectors._sync import run
from zarr_vectors.testing.stores import FailingStore, SlowStore, UnlistableStore


@pytest.mark.parametrize("wrap", [SlowStore, UnlistableStore])
def test_zarr_works_over_them(wrap: type[SlowStore] | type[UnlistableStore]) -> None:
    store = wrap(MemoryStore())
    array = zarr.create_array(store, name="a", shape=(4,), dtype="int8", chunks=(2,))
    array[:] = 5
    assert zarr.open_array(store, path="a", mode="r")[:].tolist() == [5] * 4


def test_a_failing_store_fails_for_the_chosen_keys() -> None:
    store = FailingStore(MemoryStore(), lambda key: key.endswith("c/1"), RuntimeError("gone"))
    prototype = default_buffer_prototype()
    value = prototype.buffer.from_bytes(b"x")
    run(store.set("a/c/0", value))
    assert run(store.get("a/c/0", prototype)) is not None
    for call in (store.get("a/c/1", prototype), store.set("a/c/1", value), store.delete("a/c/1")):
        with pytest.raises(RuntimeError, match="gone"):
            run(call)
    with pytest.raises(RuntimeError, match="gone"):
        run(store.get_partial_values(prototype, [("a/c/1", None)]))
    again = store.with_read_only(read_only=True)
    assert isinstance(again, FailingStore)
    with pytest.raises(RuntimeError, match="gone"):
        run(again.get("a/c/1", prototype))
