"""What a service means when it refuses, and the sentence a caller reads; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

_DENIED = ("PermissionDeniedError", "UnauthenticatedError", "PermissionError")
_DENIED_CODES = re.compile(
    r"<Code>(?:ExpiredToken|InvalidToken|TokenRefreshRequired|InvalidAccessKeyId"
    r"|SignatureDoesNotMatch|PublicAccessNotPermitted|AuthorizationHeaderMalformed)</Code>"
    r"|non-2xx status code: 40[13] "
    r"|Error performing token request"
    r"|az account get-access-token"
)
_ELSEWHERE = re.compile(r"redirect without LOCATION|<Region>[a-z0-9-]+</Region>")
_WAYS = {
    "s3": "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or sign in by 'gcloud auth application-default login'",
    "az": "AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or sign in by 'az login'",
}
_MACHINE = (
    "; on a machine of the cloud with rights of its own, set ZARR_VECTORS_CREDENTIALS=machine"
)


class Refusal(Enum):
    """Why a bucket did not answer what it was asked."""

    DENIED = "denied"
    """These credentials, or none, may not."""
    ELSEWHERE = "elsewhere"
    """The bucket is in another region."""


def refusal_of(kind: str, text: str) -> Refusal | None:
    """What an error of the driver means for access; None where it is about something else.

    Args:
        kind: Name of the error's class.
        text: Its message, which holds what the service answered.
    """
    if _ELSEWHERE.search(text):
        return Refusal.ELSEWHERE
    if kind in _DENIED or _DENIED_CODES.search(text):
        return Refusal.DENIED
    return None


def refused(url: str, service: str, tried: Sequence[str], *, verb: str = "read") -> str:
    """The sentence about a place that nobody known here may use.

    Args:
        url: Where, without secrets.
        service: ``s3``, ``gs``, ``az`` or ``""`` for a web server.
        tried: Names of what was tried, in order.
        verb: ``read`` or ``write``.
    """
    asked = " and then ".join(f"with {name}" for name in tried) or "with nothing"
    head = f"{url} may not be {'written to' if verb == 'write' else 'read'}: it was asked {asked}"
    if not service:
        return f"{head}; put a user and password, or the token it wants, into the address"
    machine = _MACHINE if not any("metadata" in name for name in tried) else ""
    return f"{head}; set {_WAYS[service]}{machine}"
