"""How a store's place is asked, where the command line says so: for this run, as the environment.

No option takes a secret: what stands on a command line is seen by everybody on the machine, and
kept by shells. Secrets come from the environment and from the files of the services' own programs.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from zv_viewer.errors import InputError

CREDENTIALS = "ZARR_VECTORS_CREDENTIALS"
_ENDPOINTS = {
    "s3": "AWS_ENDPOINT_URL_S3",
    "s3a": "AWS_ENDPOINT_URL_S3",
    "gs": "GOOGLE_BASE_URL",
    "az": "AZURE_STORAGE_ENDPOINT",
    "azure": "AZURE_STORAGE_ENDPOINT",
    "adl": "AZURE_STORAGE_ENDPOINT",
    "abfs": "AZURE_STORAGE_ENDPOINT",
    "abfss": "AZURE_STORAGE_ENDPOINT",
}


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """``--anonymous``, ``--machine`` and ``--endpoint``."""
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--anonymous", action="store_true", help="ask the bucket without credentials")
    who.add_argument(
        "--machine",
        action="store_true",
        help="where no credentials are found, ask the metadata service of this machine",
    )
    parser.add_argument("--endpoint", metavar="URL", help="address of the bucket's service")


def variables_of(args: argparse.Namespace) -> Mapping[str, str]:
    """Environment variables that say what the options say.

    Raises:
        InputError: An endpoint for an address that has none, or one that holds a secret.
    """
    found = {}
    if args.anonymous or args.machine:
        found[CREDENTIALS] = "anonymous" if args.anonymous else "machine"
    if args.endpoint:
        schemes = {_scheme_of(address) for address in args.stores}
        if not schemes or not schemes <= _ENDPOINTS.keys():
            raise InputError("--endpoint goes with addresses of buckets: s3://, gs://, az://")
        parts = urlsplit(args.endpoint)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise InputError("--endpoint takes an address such as https://minio.example:9000")
        if "@" in parts.netloc or parts.query:
            raise InputError(
                "--endpoint takes no user and no token: others see the command line; set the "
                "variables of the service instead"
            )
        found |= {_ENDPOINTS[scheme]: args.endpoint for scheme in schemes}
    return found


def _scheme_of(address: str) -> str:
    return address.partition("://")[0].lower().removeprefix("icechunk+")


@contextmanager
def asked_so(args: argparse.Namespace) -> Iterator[None]:
    """The environment as the options say it, until the end of the block."""
    said = variables_of(args)
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
