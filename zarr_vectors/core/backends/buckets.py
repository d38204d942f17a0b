"""Opening buckets and web servers through obstore, by whatever way they are answered."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from obstore.store import HTTPStore, MemoryStore, ObjectStore, from_url

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends.access import (
    CHOICES,
    Attempt,
    Source,
    attempts,
    facts_for,
    given_in,
)
from zarr_vectors.core.backends.access.asking import Access
from zarr_vectors.core.backends.access.attempts import ANONYMOUS
from zarr_vectors.core.backends.access.options import SERVICES
from zarr_vectors.core.backends.access.redirects import leads_to
from zarr_vectors.core.backends.access.region import endpoint_of
from zarr_vectors.core.backends.caching import MEMORY_BYTES, Caching, with_caches
from zarr_vectors.core.backends.obstore_ import ObstoreBackend
from zarr_vectors.core.backends.requests import Policy
from zarr_vectors.core.backends.urls import (
    bucket_of,
    is_bucket_host,
    join_query,
    redact,
    scheme_of,
    split_user,
)
from zarr_vectors.exceptions import AccessRefused, StoreError

VARIABLE = "ZARR_VECTORS_CREDENTIALS"
"""Says which credentials are used where the caller does not: see ``CHOICES``."""

# limits and further tries are those of the request runner; obstore's own would multiply them
_CLIENT = {"timeout": "1h", "connect_timeout": "5s"}
_RETRY = {"max_retries": 0, "retry_timeout": timedelta(seconds=25)}
Place = ObjectStore | Access
_memories: dict[str, MemoryStore] = {}


def open_url(
    url: str,
    *,
    read_only: bool,
    credentials: str | None = None,
    profile: str | None = None,
    policy: Policy | None = None,
    memory_bytes: int = MEMORY_BYTES,
    cache_dir: str | Path | None = None,
    **options: Any,  # noqa: ANN401 - those of obstore
) -> ObstoreBackend | Caching:
    """Backend of a bucket or web address.

    Args:
        url: ``s3://``, ``gs://``, ``az://``, ``abfs(s)://``, ``http(s)://``, ``memory://`` ...
        read_only: Refuse to write.
        credentials: ``auto``, ``anonymous`` or ``machine``; ``ZARR_VECTORS_CREDENTIALS`` when
            None, and ``auto`` where that says nothing.
        profile: Profile of the AWS files.
        policy: How many requests at once, how often again, how long.
        memory_bytes: Bytes of what is read to keep in memory, if nothing is written; 0 for none.
        cache_dir: Folder to keep it in for later runs; ``ZARR_VECTORS_CACHE`` when None, and none
            where that says nothing.
        options: Passed to obstore.

    Raises:
        StoreError: The address or an option is refused.
        AccessRefused: There is nothing to write with.
    """
    scheme = scheme_of(url)
    choice = credentials or os.environ.get(VARIABLE) or "auto"
    if choice not in CHOICES:
        source = "credentials" if credentials else VARIABLE
        raise StoreError(f"{source}={choice!r} is unknown: expected one of {', '.join(CHOICES)}")
    if scheme == "memory":
        place: Place = _memories.setdefault(url.rstrip("/"), MemoryStore())
    elif scheme in SERVICES:
        place, signed = _bucket(url, SERVICES[scheme], read_only, choice, profile, options)
        # without credentials nothing is written: the driver would ask the metadata service for some
        read_only = read_only or not signed
    elif scheme in {"http", "https"}:
        place, read_only = _web(url, options), True
    else:
        place = _made(url, from_url, options)
    opened = ObstoreBackend(place, read_only=read_only, url=url, policy=policy)
    if not read_only or not (scheme in SERVICES or scheme in {"http", "https"}):
        return opened
    return with_caches(opened, memory_bytes, cache_dir)


def _bucket(
    url: str,
    service: str,
    read_only: bool,
    choice: str,
    profile: str | None,
    options: Mapping[str, Any],
) -> tuple[Access, bool]:
    """Who asks a bucket, and whether with credentials."""
    given = given_in(service, options)
    facts = facts_for(service, profile)
    ways = attempts(service, facts, given, writing=not read_only, choice=choice)
    if not ways:
        raise AccessRefused(f"{redact(url)} cannot be written to: no credentials were found")
    elsewhere = given.endpoint or ways[0].config.get("endpoint", "")
    asks_region = service == "s3" and not elsewhere and not given.region
    access = Access(
        ways,
        partial(_store, url, service, options, asks_region and "region" not in ways[0].config),
        url=redact(url),
        service=service,
        bucket=bucket_of(url) if asks_region else "",
        writing=not read_only,
    )
    return access, ways[0].signed


def _store(
    url: str,
    service: str,
    options: Mapping[str, Any],
    spell_out: bool,
    way: Attempt,
    region: str,
) -> ObjectStore:
    """The store of one way to ask."""
    config = dict(way.config)
    if region or spell_out:
        config |= {"region": region or "us-east-1", "endpoint": endpoint_of(region)}
    more: dict[str, Any] = {}
    if way.source is not None and way.source.helper:
        more["credential_provider"] = _helped(way.source)
    elif service == "gs" and not way.signed:
        more["credential_provider"] = _nobody
    endpoint = given_in(service, {**config, **options}).endpoint
    return _made(url, from_url, {**config, **more, **options}, plain=endpoint.startswith("http:"))


def _web(url: str, options: Mapping[str, Any]) -> Place:
    """A web server: whoever is named in the address asks, and nobody else."""
    plain = scheme_of(url) == "http"
    bare, user = split_user(url)
    if is_bucket_host(url):  # the bucket's own address: it may be listed, but not signed for
        return _made(bare, from_url, {**options, "skip_signature": "true"})
    client = dict(options.get("client_options") or {})
    headers = {name: _text(value) for name, value in (client.get("default_headers") or {}).items()}
    if user:
        said = base64.b64encode(user.encode()).decode("ascii")
        headers = {"Authorization": f"Basic {said}", **headers}
        client["default_headers"] = headers

    def build(way: Attempt, region: str) -> ObjectStore:
        return _made(bare, HTTPStore.from_url, {**options, "client_options": client}, plain=plain)

    def stay() -> None:
        host = leads_to(join_query(bare, NODE), headers)
        if host:
            raise AccessRefused(
                f"{redact(url)} sends on to {host}, which is not to see the secrets of this "
                "address: open the address it sends to"
            )

    secret = "?" in bare or set(headers) - {"Authorization"}
    name = "the user in the address" if user else ANONYMOUS
    way = Attempt(name, signed=bool(user))
    return Access([way], build, url=redact(url), before=stay if secret else None)


def _made(
    url: str,
    make: Callable[..., ObjectStore],
    options: Mapping[str, Any],
    *,
    plain: bool = False,
) -> ObjectStore:
    """A store; obstore's errors say the address and perhaps more, and are told in our words."""
    client = {**_CLIENT, **({"allow_http": True} if plain else {})}
    said = {
        **options,
        "client_options": {**client, **(options.get("client_options") or {})},
        "retry_config": {**_RETRY, **(options.get("retry_config") or {})},
    }
    try:
        return make(url, **said)
    except Exception as error:  # noqa: BLE001 - obstore raises many kinds, with the URL in them
        reason = redact(f"{type(error).__name__}: {error}").splitlines()[0]
    raise StoreError(f"cannot open {redact(url)}: {reason}")


def _helped(source: Source) -> Any:  # noqa: ANN401 - providers of obstore
    """Whoever gets credentials that obstore does not get by itself."""
    reason = ""
    try:
        if source.helper == "boto3":
            import boto3  # type: ignore[import-untyped]
            from obstore.auth.boto3 import Boto3CredentialProvider

            return Boto3CredentialProvider(boto3.Session(profile_name=source.profile))
        from obstore.auth.google import GoogleCredentialProvider

        return GoogleCredentialProvider()
    except Exception as error:  # noqa: BLE001 - these libraries raise anything
        reason = type(error).__name__
    raise StoreError(f"{source.name} cannot be used: {reason}")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _nobody() -> dict[str, Any]:
    """Keeps the driver from looking for Google credentials by itself."""
    return {"token": "", "expires_at": None}
