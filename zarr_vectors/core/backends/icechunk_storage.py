"""Storage of Icechunk repositories: a folder, a bucket or a web server, by a way to ask."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from zarr_vectors.core.backends.access import Attempt, Given, attempts, facts_for
from zarr_vectors.core.backends.access.attempts import ANONYMOUS, GIVEN
from zarr_vectors.core.backends.access.options import SERVICES
from zarr_vectors.core.backends.access.region import FIRST_REGION, region_of
from zarr_vectors.core.backends.urls import local_path, redact, scheme_of
from zarr_vectors.exceptions import StoreError

_MEANS = ("access_key", "token", "credentials", "anonymous", "from_env", "service_account")
_KEYS = {
    "access_key_id": "access_key_id",
    "secret_access_key": "secret_access_key",
    "session_token": "session_token",
    "bearer_token": "bearer_token",
    "service_account": "service_account_file",
    "service_account_key": "service_account_key",
    "application_credentials": "application_credentials",
    "account_key": "access_key",
    "sas_key": "sas_token",
    "token": "bearer_token",
}
"""Names of settings here, and of Icechunk's arguments."""


def storages(
    icechunk: Any,  # noqa: ANN401 - an optional package
    url: str,
    options: Mapping[str, Any],
    *,
    writing: bool,
    choice: str,
    profile: str | None,
) -> Iterator[tuple[str, Any]]:
    """Ways to reach a repository, best first: who asks, in words, and the storage.

    Args:
        icechunk: The package.
        url: Folder, ``file://``, ``s3://``, ``gs://``, ``az://``, ``abfs(s)://``, ``http(s)://``.
        options: For Icechunk's storage; credentials among them are all that is tried.
        writing: The repository is to be written to.
        choice: ``auto``, ``anonymous`` or ``machine``.
        profile: Profile of the AWS files.

    Raises:
        StoreError: There is no such storage.
    """
    scheme = scheme_of(url)
    if scheme in {"", "file"}:
        yield "", icechunk.local_filesystem_storage(os.fspath(local_path(url)), **options)
    elif scheme in {"http", "https"}:
        if not hasattr(icechunk, "http_storage"):
            raise StoreError("repositories on web servers need Icechunk 2, on Python 3.12 or later")
        yield ANONYMOUS, icechunk.http_storage(url, **options)
    elif scheme in SERVICES:
        yield from _in_buckets(icechunk, url, SERVICES[scheme], options, writing, choice, profile)
    else:
        raise StoreError(f"Icechunk has no storage for {scheme}:// addresses")


def _in_buckets(
    icechunk: Any,  # noqa: ANN401 - an optional package
    url: str,
    service: str,
    options: Mapping[str, Any],
    writing: bool,
    choice: str,
    profile: str | None,
) -> Iterator[tuple[str, Any]]:
    factory, place_of = _BUCKETS[service]
    make = getattr(icechunk, factory)
    facts = facts_for(service, profile)
    given = Given(
        endpoint=str(options.get("endpoint_url") or ""),
        region=str(options.get("region") or ""),
        account=str(options.get("account") or ""),
    )
    ways = attempts(service, facts, given, writing=writing, choice=choice)
    if any(word in name for name in options for word in _MEANS):
        own = Attempt(GIVEN, signed=True, config=ways[0].config if ways else {})
        yield GIVEN, make(**{**place_of(url, own, options), **options})
        return
    for way in ways:
        place = place_of(url, way, options)
        means = _means(way)
        if "anonymous" in means and "anonymous" not in inspect.signature(make).parameters:
            raise StoreError(
                f"{redact(url)}: without credentials Icechunk 2 is needed, on Python 3.12"
            )
        yield way.name, make(**{**place, **means, **options})


def _means(way: Attempt) -> dict[str, Any]:
    """What a way to ask is for Icechunk, which reads the environment and the files by itself."""
    if not way.signed:
        return {"anonymous": True}
    held = {} if way.source is None else way.source.config
    known = {_KEYS[name]: value for name, value in held.items() if name in _KEYS}
    return known or {"from_env": True}


def _s3_place(url: str, way: Attempt, options: Mapping[str, Any]) -> dict[str, Any]:
    parts = urlsplit(url)
    endpoint = options.get("endpoint_url") or way.config.get("endpoint")
    region = options.get("region") or way.config.get("region")
    if not region:
        region = (not endpoint and region_of(parts.netloc)) or FIRST_REGION
    place = {"bucket": parts.netloc, "prefix": parts.path.strip("/") or None, "region": region}
    if endpoint:
        place |= {"endpoint_url": endpoint, "force_path_style": True}
        place |= {"allow_http": str(endpoint).startswith("http:")}
    return place


def _gs_place(url: str, way: Attempt, options: Mapping[str, Any]) -> dict[str, Any]:
    del options  # nothing of them says where a bucket is
    parts = urlsplit(url)
    place: dict[str, Any] = {"bucket": parts.netloc, "prefix": parts.path.strip("/") or None}
    base = way.config.get("base_url")
    if base:
        plain = str(base.startswith("http:")).lower()
        place |= {"config": {"base_url": base, "allow_http": plain}}
    return place


def _az_place(url: str, way: Attempt, options: Mapping[str, Any]) -> dict[str, Any]:
    parts = urlsplit(url)
    container, _, host = parts.netloc.partition("@")
    account = host.partition(".")[0] or options.get("account") or way.config.get("account_name")
    if not account:
        raise StoreError(f"{redact(url)} names no account: set AZURE_STORAGE_ACCOUNT")
    place = {"account": account, "container": container, "prefix": parts.path.strip("/")}
    endpoint = way.config.get("endpoint")
    if endpoint:
        plain = str(endpoint.startswith("http:")).lower()
        place |= {"config": {"azure_storage_endpoint": endpoint, "azure_allow_http": plain}}
    return place


_BUCKETS = {
    "s3": ("s3_storage", _s3_place),
    "gs": ("gcs_storage", _gs_place),
    "az": ("azure_storage", _az_place),
}
"""Icechunk's makers of storage, and what says to each where a bucket is."""
