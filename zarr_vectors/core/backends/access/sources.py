"""Where the credentials of a service come from, first found first; pure.

Of each service one source is used, the first that is set, in the order its own programs use. Which
one it is depends on nothing but the variables and files seen by :mod:`.facts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zarr_vectors.core.backends.access.options import truthy
from zarr_vectors.core.backends.access.profiles import Profile


@dataclass(frozen=True, slots=True)
class Facts:
    """What this machine says of credentials.

    Attributes:
        variables: The environment.
        profile: Profile of the AWS files; None where there is none of that name.
        google_file: File of application default credentials, ``""`` where there is none.
        google_kind: What that file says it is, such as ``service_account``.
        azure_cli: The Azure command line is installed and somebody is signed in.
        installed: Optional packages that are there: ``boto3``, ``google.auth``.
    """

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    profile: Profile | None = None
    google_file: str = ""
    google_kind: str = ""
    azure_cli: bool = False
    installed: frozenset[str] = frozenset()

    def said(self, *names: str) -> str:
        """The first of some variables that is set."""
        return next((value for name in names if (value := self.variables.get(name, ""))), "")


@dataclass(frozen=True, slots=True)
class Source:
    """Where credentials come from.

    Attributes:
        name: In words, for messages; never a secret.
        config: Settings that hold them; empty where the driver finds them by itself.
        helper: Package that gets them, ``""`` where none is needed.
        profile: The profile ``boto3`` is to use.
        missing: Package to install before they can be used, ``""`` where all is there.
    """

    name: str
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    helper: str = ""
    profile: str = ""
    missing: str = ""


def source_of(service: str, facts: Facts) -> Source | None:
    """The credentials of a service found on this machine, None where there are none.

    Args:
        service: ``s3``, ``gs`` or ``az``.
        facts: What the machine says.
    """
    return {"s3": _s3, "gs": _gs, "az": _az}[service](facts)


def skips_signature(service: str, facts: Facts) -> bool:
    """The environment asks for requests without credentials."""
    name = {"s3": "AWS", "gs": "GOOGLE", "az": "AZURE"}[service]
    return truthy(facts.said(f"{name}_SKIP_SIGNATURE"))


def metadata_service_allowed(service: str, facts: Facts) -> bool:
    """The environment does not forbid to ask the machine's metadata service."""
    return not (service == "s3" and truthy(facts.said("AWS_EC2_METADATA_DISABLED")))


def _s3(facts: Facts) -> Source | None:
    if facts.said("AWS_ACCESS_KEY_ID") and facts.said("AWS_SECRET_ACCESS_KEY"):
        return Source("the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if facts.said("AWS_WEB_IDENTITY_TOKEN_FILE") and facts.said("AWS_ROLE_ARN"):
        return Source("the role in AWS_ROLE_ARN")
    profile = facts.profile
    if profile is not None and profile.keys:
        return Source(f"the keys of the AWS profile {profile.name!r}", profile.keys)
    if profile is not None and profile.borrowed:
        missing = "" if "boto3" in facts.installed else "boto3"
        name = f"the AWS profile {profile.name!r}"
        return Source(name, helper="boto3", profile=profile.name, missing=missing)
    for name in ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        if facts.said(name):
            return Source(f"the container's service in {name}")
    return None


def _gs(facts: Facts) -> Source | None:
    for name, setting in (
        ("GOOGLE_BEARER_TOKEN", "bearer_token"),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", "service_account_key"),
        ("GOOGLE_SERVICE_ACCOUNT", "service_account"),
        ("GOOGLE_SERVICE_ACCOUNT_PATH", "service_account"),
    ):
        value = facts.said(name)
        if value:
            return Source(f"what {name} names", {setting: value})
    if not facts.google_file:
        return None
    chosen = facts.said("GOOGLE_APPLICATION_CREDENTIALS")
    name = (
        "the file GOOGLE_APPLICATION_CREDENTIALS names"
        if chosen
        else "the application default credentials of gcloud"
    )
    if facts.google_kind in {"service_account", "authorized_user"}:
        return Source(name, {"application_credentials": facts.google_file})
    missing = "" if "google.auth" in facts.installed else "google-auth[requests]"
    return Source(name, helper="google.auth", missing=missing)


def _az(facts: Facts) -> Source | None:
    said = facts.said
    parts = connection_parts(said("AZURE_STORAGE_CONNECTION_STRING"))
    for key in ("account_key", "sas_key"):
        if parts.get(key):
            return Source("AZURE_STORAGE_CONNECTION_STRING", {key: parts[key]})
    for setting, names in _AZURE_SECRETS:
        value = said(*names)
        if value:
            name = next(name for name in names if said(name))
            return Source(f"what {name} holds", {setting: value})
    identity = said("AZURE_STORAGE_CLIENT_ID", "AZURE_CLIENT_ID") and said(
        "AZURE_STORAGE_TENANT_ID",
        "AZURE_STORAGE_AUTHORITY_ID",
        "AZURE_TENANT_ID",
        "AZURE_AUTHORITY_ID",
    )
    if identity and said("AZURE_STORAGE_CLIENT_SECRET", "AZURE_CLIENT_SECRET"):
        return Source("the client in AZURE_CLIENT_ID")
    if identity and said("AZURE_FEDERATED_TOKEN_FILE"):
        return Source("the identity in AZURE_FEDERATED_TOKEN_FILE")
    if facts.azure_cli:
        return Source("the account of the Azure command line", {"use_azure_cli": "true"})
    return None


_AZURE_SECRETS = (
    (
        "account_key",
        (
            "AZURE_STORAGE_ACCOUNT_KEY",
            "AZURE_STORAGE_ACCESS_KEY",
            "AZURE_STORAGE_MASTER_KEY",
            "AZURE_STORAGE_KEY",
        ),
    ),
    ("sas_key", ("AZURE_STORAGE_SAS_TOKEN", "AZURE_STORAGE_SAS_KEY")),
    ("token", ("AZURE_STORAGE_TOKEN",)),
)


def connection_parts(text: str) -> dict[str, str]:
    """Account, key, signature and endpoint of an Azure connection string, where it has them."""
    names = {
        "accountname": "account_name",
        "accountkey": "account_key",
        "sharedaccesssignature": "sas_key",
        "blobendpoint": "endpoint",
    }
    pairs = (part.partition("=") for part in text.split(";"))
    found = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return {names[name]: value for name, value in found.items() if name in names and value}
