"""Asking S3 which region a bucket is in: one request without credentials."""

from __future__ import annotations

import re
from urllib.error import HTTPError, URLError
from urllib.request import Request

from zarr_vectors.core.backends.access.redirects import staying

ENDPOINT = "https://s3.{region}.amazonaws.com"
CHINA = "https://s3.{region}.amazonaws.com.cn"
FIRST_REGION = "us-east-1"
_TIMEOUT_S = 5.0
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+){1,3}-[0-9]{1,2}")


def endpoint_of(region: str) -> str:
    """Address of S3 in a region; ``""`` is the first region."""
    return (CHINA if region.startswith("cn-") else ENDPOINT).format(region=region or FIRST_REGION)


def region_of(bucket: str, asked: str = "") -> str:
    """Region of a bucket as S3 tells it, ``""`` where it does not.

    Args:
        bucket: The bucket.
        asked: Region whose service is asked; all of them know, within one partition.
    """
    request = Request(f"{endpoint_of(asked)}/{bucket}", method="HEAD")  # noqa: S310 - https
    try:
        answer = staying().open(request, timeout=_TIMEOUT_S)
    except HTTPError as error:
        answer = error
    except (URLError, OSError):
        return ""
    with answer:
        said = answer.headers.get("x-amz-bucket-region") or ""
    return said if _REGION.fullmatch(said) else ""
