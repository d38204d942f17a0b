from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core.backends.urls import (
    bucket_of,
    is_bucket_host,
    join_url,
    local_path,
    redact,
    scheme_of,
    split_user,
)


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        ("/data/store", ""),
        ("store.zarrvectors", ""),
        ("C:\\data\\store", ""),
        ("c:/data/store", ""),
        ("\\\\host\\share", ""),
        ("file:///data", "file"),
        ("FILE:/data", "file"),
        ("s3://bucket/x", "s3"),
        ("S3://bucket/x", "s3"),
        ("https://host/x", "https"),
        ("a b://x", ""),
        ("", ""),
    ],
)
def test_schemes(address: str, scheme: str) -> None:
    assert scheme_of(address) == scheme


@pytest.mark.parametrize(
    ("address", "posix", "windows"),
    [
        ("plain/path", "plain/path", "plain/path"),
        ("C:\\x", "C:\\x", "C:\\x"),
        ("file:///C:/a%20b", "/C:/a b", "C:\\a b"),
        ("file:///data/x", "/data/x", "\\data\\x"),
        ("file:/data/x", "/data/x", "\\data\\x"),
        ("file://localhost/data", "/data", "\\data"),
        ("file://host/share/x", "//host/share/x", "\\\\host\\share\\x"),
    ],
)
def test_file_urls(address: str, posix: str, windows: str) -> None:
    assert local_path(address, windows=False) == posix
    assert local_path(address, windows=True) == windows


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=30))
def test_a_path_survives_its_url(name: str) -> None:
    path = Path("/data") / name.replace("\x7f", "")
    assert Path(local_path(path.as_uri(), windows=False)) == path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pw@host/a?token=1", "https://host/a"),
        ("https://host/a#frag", "https://host/a"),
        ("s3://key:pw@bucket/a b", "s3://bucket/a b"),
        ("error at <http://u@h/x?y=z> end", "error at <http://h/x> end"),
        ('HTTPStore("https://u:p@h/?sig=1")', 'HTTPStore("https://h/")'),
        ("two https://a:b@c/d https://e:f@g/h?i", "two https://c/d https://g/h"),
        ("mail me@host or ask why?", "mail me@host or ask why?"),
        ("/a/path?x@y", "/a/path?x@y"),
        ("https://u:p@w@host/x", "https://host/x"),
        ("abfss://container@account.x/y", "abfss://container@account.x/y"),
        ("icechunk+s3://bucket@branch.main", "icechunk+s3://bucket@branch.main"),
        ("icechunk+https://u:p@h@branch.main", "icechunk+https://branch.main"),
        ("1https://u:p@h/x", "1https://h/x"),
        ("abfss://c:pw@account.x/y", "abfss://account.x/y"),
        ("abfss://c@pw@account.x/y?sig=1", "abfss://account.x/y"),
    ],
)
def test_secrets_are_left_out(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_children_of_urls() -> None:
    assert join_url("file:///a b".replace(" ", "%20"), "0/c d") == "file:///a%20b/0/c%20d"
    assert join_url("s3://bucket", "0") == "s3://bucket/0"


def test_who_is_named_in_an_address() -> None:
    assert split_user("https://a%40b:p%3Aw@host:8/x?t=1#f") == ("https://host:8/x?t=1", "a@b:p:w")
    assert split_user("https://host/x") == ("https://host/x", "")
    assert bucket_of("s3://user@bucket/x") == "bucket"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://bucket.s3.us-west-2.amazonaws.com/x", True),
        ("https://s3.eu-west-1.amazonaws.com/bucket/x", True),
        ("https://bucket.s3.amazonaws.com/x", True),
        ("https://account.blob.core.windows.net/container/x", True),
        ("https://account.blob.core.windows.net/container/x?sig=1", False),
        ("https://u:p@bucket.s3.us-west-2.amazonaws.com/x", False),
        ("http://bucket.s3.us-west-2.amazonaws.com/x", False),
        ("https://s3.us-west-2.amazonaws.com.evil.example/x", False),
        ("https://amazonaws.com/x", False),
        ("https://host/x", False),
    ],
)
def test_addresses_of_buckets_on_the_web(url: str, expected: bool) -> None:
    assert is_bucket_host(url) is expected
