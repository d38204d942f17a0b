"""What a server of a test is to its users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zarr_vectors.testing.servers.network import Network


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs until its context ends.

    Attributes:
        url: Address of its fresh bucket, container or folder, such as ``s3://bucket``.
        options: Passed with the address, where the environment does not say it.
        environment: Variables by which the address alone is enough, for other processes.
        endpoint: ``http://127.0.0.1:PORT``.
        network: Latency, faults and the log of requests.
        secrets: Credentials; they are to be seen nowhere.
    """

    url: str
    endpoint: str
    network: Network = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def at(self, name: str) -> str:
        """Address of a store of the bucket."""
        return f"{self.url}/{name}"
