from __future__ import annotations

import pytest
from zarr.storage import MemoryStore

from zarr_vectors.core.backends import StorageBackend, open_backend


@pytest.fixture
def backend() -> StorageBackend:
    return open_backend(MemoryStore(), mode="a")
