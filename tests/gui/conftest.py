"""Stores for the window."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zv_viewer import samples

SMALL = samples.Sample("small", "small", "cells", 3, 5000, 3, 250.0, 62.5, 3, "0.7.0")


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5000 cells with attributes and a pyramid."""
    path = tmp_path_factory.mktemp("stores") / "small.zarrvectors"
    samples.make_sample(SMALL, path)
    return path


@pytest.fixture
def small_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Samples are small, and made in a folder of the test's own."""
    small = {name: replace(SMALL, name=name) for name in ("cells", "transcripts")}
    monkeypatch.setattr(samples, "samples", lambda: small)
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path))
    return tmp_path
