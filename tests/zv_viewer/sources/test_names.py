"""What a store is called, and which are behind a network, by their addresses."""

import pytest

from zv_viewer.sources.store import is_remote, name_of


@pytest.mark.parametrize(
    ("url", "name", "remote"),
    [
        ("file:///data/cells.zarrvectors", "cells", False),
        ("file:///data/my%20cells.zarrvectors.zip", "my cells", False),
        ("s3://bucket/cells.zv/", "cells.zv", True),
        ("https://host/a/cells.zarrvectors", "cells", True),
        ("icechunk+s3://bucket/repo/@branch.main", "repo", True),
        ("icechunk+file:///data/repo/@tag.v1", "repo", False),
        ("memory://", "memory:", False),
        ("/data/.zarrvectors", ".zarrvectors", False),
    ],
)
def test_by_address(url: str, name: str, remote: bool) -> None:
    assert name_of(url) == name
    assert is_remote(url) is remote
