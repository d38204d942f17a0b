from __future__ import annotations

import pytest

from zarr_vectors.core.backends.access.refusals import Refusal, refusal_of, refused
from zarr_vectors.core.backends.access.region import endpoint_of

ANSWERED = "Error performing GET http://x/b/k in 1ms - "
STATUS = ANSWERED + "Server returned non-2xx status code: "


@pytest.mark.parametrize(
    ("kind", "text", "refusal"),
    [
        ("PermissionDeniedError", STATUS + "403 Forbidden: AccessDenied", Refusal.DENIED),
        ("UnauthenticatedError", STATUS + "401 Unauthorized: x", Refusal.DENIED),
        ("GenericError", STATUS + "400: <Code>ExpiredToken</Code>", Refusal.DENIED),
        ("AlreadyExistsError", "409: <Code>PublicAccessNotPermitted</Code>", Refusal.DENIED),
        ("GenericError", "list request: " + STATUS + "403 Forbidden: x", Refusal.DENIED),
        ("GenericError", "Generic GCS error: Error performing token request: x", Refusal.DENIED),
        ("GenericError", "'az account get-access-token' command failed: x", Refusal.DENIED),
        ("GenericError", ANSWERED + "Received redirect without LOCATION", Refusal.ELSEWHERE),
        (
            "GenericError",
            "400: <Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region>",
            Refusal.ELSEWHERE,
        ),
        ("GenericError", STATUS + "500 Internal Server Error", None),
        ("GenericError", ANSWERED + "HTTP error: error sending request", None),
        ("NotFoundError", STATUS + "404 Not Found", None),
        ("AlreadyExistsError", STATUS + "409 Conflict", None),
    ],
)
def test_what_an_error_means(kind: str, text: str, refusal: Refusal | None) -> None:
    assert refusal_of(kind, text) is refusal


@pytest.mark.parametrize(
    ("service", "words"),
    [
        ("s3", ["AWS_PROFILE", "ZARR_VECTORS_CREDENTIALS=machine"]),
        ("gs", ["GOOGLE_APPLICATION_CREDENTIALS"]),
        ("az", ["AZURE_STORAGE_KEY", "az login"]),
        ("", ["into the address"]),
    ],
)
def test_one_sentence_says_what_was_tried_and_what_to_set(service: str, words: list[str]) -> None:
    said = refused("s3://b/x", service, ["the keys in X", "no credentials"])
    assert said.startswith("s3://b/x may not be read")
    assert "with the keys in X and then with no credentials" in said
    assert all(word in said for word in words)
    assert "\n" not in said
    machine = refused("s3://b/x", "s3", ["the machine's metadata service"], verb="write")
    assert "may not be written to" in machine
    assert "ZARR_VECTORS_CREDENTIALS" not in machine


def test_where_a_region_is_asked() -> None:
    assert endpoint_of("") == "https://s3.us-east-1.amazonaws.com"
    assert endpoint_of("cn-north-1") == "https://s3.cn-north-1.amazonaws.com.cn"
