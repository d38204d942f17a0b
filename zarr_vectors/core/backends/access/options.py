"""What a caller asks of a bucket among the options of its driver; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SERVICES = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "az": "az",
    "adl": "az",
    "azure": "az",
    "abfs": "az",
    "abfss": "az",
}
"""Service by the scheme of an address."""

_PREFIXES = {"s3": ("aws_",), "gs": ("google_",), "az": ("azure_storage_", "azure_")}
_CREDENTIALS = {
    "s3": {
        "access_key_id",
        "secret_access_key",
        "session_token",
        "token",
        "web_identity_token_file",
        "container_credentials_relative_uri",
        "container_credentials_full_uri",
    },
    "gs": {
        "service_account",
        "service_account_path",
        "service_account_key",
        "bearer_token",
        "application_credentials",
    },
    "az": {
        "account_key",
        "access_key",
        "master_key",
        "sas_key",
        "sas_token",
        "token",
        "bearer_token",
        "client_secret",
        "federated_token_file",
        "use_azure_cli",
        "msi_endpoint",
        "credential_type",
        "use_emulator",
    },
}
_ENDPOINTS = ("endpoint_url_s3", "endpoint", "endpoint_url", "base_url")


@dataclass(frozen=True, slots=True)
class Given:
    """What a caller said.

    Attributes:
        credentials: Names of credentials are among the options, or somebody who gives them is.
        anonymous: The caller asked for no credentials; None where it said nothing of that.
        endpoint: Address of the service, ``""`` by default.
        region: Region of the bucket, ``""`` by default.
        account: Account of a container, ``""`` by default.
    """

    credentials: bool = False
    anonymous: bool | None = None
    endpoint: str = ""
    region: str = ""
    account: str = field(default="", repr=False)


def given_in(service: str, options: Mapping[str, Any]) -> Given:
    """What the options of a bucket's driver say of access, whatever spelling they use.

    Args:
        service: ``s3``, ``gs`` or ``az``.
        options: Options as obstore takes them; settings may be in ``config`` too.
    """
    said: dict[str, Any] = {}
    for key, value in {**options, **(options.get("config") or {})}.items():
        if value is not None:
            said[_plain(service, key)] = value
    skip = said.get("skip_signature")
    return Given(
        credentials=bool(_CREDENTIALS[service] & set(said)) or "credential_provider" in said,
        anonymous=None if skip is None else truthy(skip),
        endpoint=next((str(said[name]) for name in _ENDPOINTS if said.get(name)), ""),
        region=str(said.get("region") or said.get("default_region") or ""),
        account=str(said.get("account_name") or ""),
    )


def truthy(value: object) -> bool:
    """What a setting written as text means."""
    return str(value).strip().lower() in {"true", "1", "yes", "on", "y"}


def _plain(service: str, key: str) -> str:
    name = key.lower()
    for prefix in _PREFIXES[service]:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name
