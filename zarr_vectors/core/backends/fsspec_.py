"""Any address through fsspec, for those who ask for it and for schemes of nobody else."""

from __future__ import annotations

import os
from typing import Any

from zarr.storage import FsspecStore

from zarr_vectors.core.backends.access import Given, attempts, facts_for
from zarr_vectors.core.backends.access.options import SERVICES
from zarr_vectors.core.backends.requests import Policy
from zarr_vectors.core.backends.urls import redact, scheme_of
from zarr_vectors.core.backends.zarr_store import ZarrStoreBackend
from zarr_vectors.exceptions import StoreError

_NOBODY: dict[str, dict[str, Any]] = {
    "s3": {"anon": True},
    "gs": {"token": "anon"},
    "az": {"anon": True},
}
"""How drivers of a service are told to use no credentials."""


def open_fsspec(
    address: str,
    *,
    read_only: bool,
    credentials: str | None = None,
    profile: str | None = None,
    policy: Policy | None = None,
    **options: Any,  # noqa: ANN401 - those of the driver
) -> ZarrStoreBackend:
    """Backend of an address through fsspec, which finds credentials by itself.

    Args:
        address: The URL.
        read_only: Refuse to write.
        credentials: ``auto``, ``anonymous`` or ``machine``; ``ZARR_VECTORS_CREDENTIALS`` when
            None. Where none are found, none are looked for by the driver either.
        profile: Profile of the AWS files.
        policy: How many requests at once, how often again, how long.
        options: Passed to the driver.

    Raises:
        StoreError: The driver is not installed, or refuses the address.
    """
    service = SERVICES.get(scheme_of(address))
    if service is not None and not options:
        choice = credentials or os.environ.get("ZARR_VECTORS_CREDENTIALS") or "auto"
        facts = facts_for(service, profile)
        ways = attempts(service, facts, Given(), writing=not read_only, choice=choice)
        options = {"profile": profile} if profile else {}
        if ways and not ways[0].signed:
            options = dict(_NOBODY[service])
    try:
        store = FsspecStore.from_url(address, storage_options=options or None, read_only=read_only)
    except (ImportError, ValueError, OSError, TypeError) as error:
        reason = redact(str(error))
    else:
        return ZarrStoreBackend(
            store, read_only=read_only, name="fsspec", url=address, policy=policy
        )
    raise StoreError(f"cannot open {redact(address)}: {reason}")
