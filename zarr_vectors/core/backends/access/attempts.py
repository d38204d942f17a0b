"""Which credentials a bucket is asked with, and in which order; pure.

Reading tries what is found first, then no credentials at all, so that public buckets open whatever
is set. Writing never goes without. The metadata service of the machine is asked by readers only
where the caller chose it, and by writers last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zarr_vectors.core.backends.access.options import Given
from zarr_vectors.core.backends.access.sources import (
    Facts,
    Source,
    connection_parts,
    metadata_service_allowed,
    skips_signature,
    source_of,
)

CHOICES = ("auto", "anonymous", "machine")
"""What ``credentials=`` and ``ZARR_VECTORS_CREDENTIALS`` may say.

``auto``: what is found, then none; ``anonymous``: none; ``machine``: like ``auto``, and where
nothing is found the machine's metadata service is asked.
"""

ANONYMOUS = "no credentials"
GIVEN = "the credentials given"
MACHINE = "the machine's metadata service"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to ask.

    Attributes:
        name: In words, for messages; never a secret.
        signed: With credentials.
        config: Settings for the driver, besides the caller's.
        source: Where the credentials come from, where something has to be done to get them.
    """

    name: str
    signed: bool
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    source: Source | None = field(default=None, repr=False)


def attempts(
    service: str, facts: Facts, given: Given, *, writing: bool, choice: str = "auto"
) -> tuple[Attempt, ...]:
    """Ways to ask a bucket, best first; none where nothing is found to write with.

    Args:
        service: ``s3``, ``gs`` or ``az``.
        facts: What this machine says.
        given: What the caller says.
        writing: The bucket is to be written to.
        choice: One of :data:`CHOICES`.
    """
    common = settings(service, facts, given)
    nobody = Attempt(ANONYMOUS, signed=False, config={**common, "skip_signature": "true"})
    if given.anonymous:
        return (nobody,)
    if given.credentials:
        return (Attempt(GIVEN, signed=True, config=common),)
    if choice == "anonymous" or (given.anonymous is None and skips_signature(service, facts)):
        return (nobody,)
    found = source_of(service, facts)
    ways = []
    if found is not None:
        ways.append(Attempt(found.name, True, {**common, **found.config}, found))
    elif (writing or choice == "machine") and metadata_service_allowed(service, facts):
        ways.append(Attempt(MACHINE, signed=True, config=common))
    return tuple(ways) if writing else (*ways, nobody)


def settings(service: str, facts: Facts, given: Given) -> dict[str, str]:
    """Endpoint, region and account, where the machine says them and the caller does not."""
    found = {"s3": _s3_settings, "gs": _gs_settings, "az": _az_settings}[service](facts)
    for name, said in (
        ("endpoint", given.endpoint),
        ("base_url", given.endpoint),
        ("region", given.region),
        ("account_name", given.account),
    ):
        if said:
            found.pop(name, None)
    return {name: value for name, value in found.items() if value}


def _s3_settings(facts: Facts) -> dict[str, str]:
    profile = facts.profile
    named = facts.said("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    ignored = facts.said("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").lower() == "true"
    if not named and profile is not None and not ignored:
        named = profile.endpoint
    region = facts.said("AWS_REGION", "AWS_DEFAULT_REGION")
    return {"endpoint": named, "region": region or ("" if profile is None else profile.region)}


def _gs_settings(facts: Facts) -> dict[str, str]:
    return {"base_url": facts.said("GOOGLE_BASE_URL")}


def _az_settings(facts: Facts) -> dict[str, str]:
    parts = connection_parts(facts.said("AZURE_STORAGE_CONNECTION_STRING"))
    account = facts.said("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
    endpoint = facts.said("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
    return {
        "account_name": parts.get("account_name", "") or account,
        "endpoint": parts.get("endpoint", "") or endpoint,
    }
