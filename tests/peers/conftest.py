"""The published releases, each in an interpreter of its own that serves all tests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PROGRAM = Path(__file__).with_name("peer_program.py")
VARIABLES = {"0.7.0": "ZV_PEER_07", "0.9.2": "ZV_PEER_09"}


class Peer:
    """A published release: writes and reads stores of its own format.

    Args:
        version: Format version.
        python: Its interpreter.
        folder: Where arrays are exchanged, as npz files.
    """

    def __init__(self, version: str, python: str, folder: Path) -> None:
        self.version = version
        self._given, self._answer = folder / "given.npz", folder / "answer.npz"
        self._program = subprocess.Popen(
            [python, "-W", "ignore", PROGRAM, self._given, self._answer],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, action: str, **arguments: Any) -> dict[str, Any]:
        """Run one action of the program there; what it fails with fails the test."""
        arrays = {k: v for k, v in arguments.items() if isinstance(v, np.ndarray)}
        plain = {k: v for k, v in arguments.items() if k not in arrays}
        np.savez(self._given, **arrays)
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps([action, plain]) + "\n")
        self._program.stdin.flush()
        answer = self._program.stdout.readline().strip()
        assert answer == "done", answer or "the published release ended"
        with np.load(self._answer) as found:
            return dict(found)

    def close(self) -> None:
        """End the program."""
        self._program.communicate(timeout=30)


@pytest.fixture(scope="session", params=VARIABLES)
def peer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Peer]:
    """Each published release in turn."""
    variable = VARIABLES[request.param]
    python = os.environ.get(variable)
    if not python:
        pytest.skip(f"{variable} does not name a Python with the published release")
    found = Peer(request.param, python, tmp_path_factory.mktemp("exchange"))
    yield found
    found.close()
