"""Real servers of this machine for tests: buckets of three services, and a plain web server.

Each is a context manager that gives a :class:`Server`: the address of a fresh bucket or folder,
the options and variables it is opened with, and the network before it, which can be slow and can
fail on purpose. Servers listen on 127.0.0.1, at a port the system chooses, and end with the
context. What they need (moto, werkzeug, Azurite with Node) is asked for when one is started.
"""

from zarr_vectors.testing.servers.azure import azure_server, azurite_missing
from zarr_vectors.testing.servers.buckets import gcs_server, s3_server
from zarr_vectors.testing.servers.network import (
    KINDS,
    Asked,
    Network,
    Request,
    Rule,
    at_numbers,
    at_rate,
    from_number,
    where,
)
from zarr_vectors.testing.servers.server import Server
from zarr_vectors.testing.servers.web import http_server

__all__ = [
    "KINDS",
    "Asked",
    "Network",
    "Request",
    "Rule",
    "Server",
    "at_numbers",
    "at_rate",
    "azure_server",
    "azurite_missing",
    "from_number",
    "gcs_server",
    "http_server",
    "s3_server",
    "where",
]
