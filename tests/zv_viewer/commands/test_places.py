"""Options that say how a bucket is asked, and that no secret is taken."""

from __future__ import annotations

import argparse
import json
import os

import pytest

from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.servers import Server, s3_server
from zv_viewer.cli import main
from zv_viewer.commands.options import command_parser, window_parser
from zv_viewer.commands.places import CREDENTIALS, asked_so, variables_of
from zv_viewer.errors import InputError


def parsed(*words: str) -> argparse.Namespace:
    return command_parser().parse_args(["info", *words])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["s3://b/x"], {}),
        (["s3://b/x", "--anonymous"], {CREDENTIALS: "anonymous"}),
        (["/folder", "--machine"], {CREDENTIALS: "machine"}),
        (["s3://b/x", "--endpoint", "http://h:9"], {"AWS_ENDPOINT_URL_S3": "http://h:9"}),
        (["icechunk+s3://b/x", "--endpoint", "https://h"], {"AWS_ENDPOINT_URL_S3": "https://h"}),
        (["gs://b/x", "--endpoint", "https://h"], {"GOOGLE_BASE_URL": "https://h"}),
        (["az://b/x", "--endpoint", "https://h/a"], {"AZURE_STORAGE_ENDPOINT": "https://h/a"}),
    ],
)
def test_what_options_mean(words: list[str], said: dict[str, str]) -> None:
    assert variables_of(parsed(*words)) == said
    assert variables_of(window_parser().parse_args(words)) == said


@pytest.mark.parametrize(
    ("store", "endpoint", "reason"),
    [
        ("/folder", "https://h", "goes with addresses of buckets"),
        ("https://h/x", "https://h", "goes with addresses of buckets"),
        ("s3://b/x", "h:9000", "takes an address"),
        ("s3://b/x", "https://user:hunter2@h", "takes no user"),
        ("s3://b/x", "https://h?token=hunter2", "takes no user and no token"),
    ],
)
def test_what_they_cannot_mean(store: str, endpoint: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        variables_of(parsed(store, "--endpoint", endpoint))
    assert "hunter2" not in str(caught.value)


def test_the_environment_is_as_it_was_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CREDENTIALS, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://old")
    with asked_so(parsed("s3://b/x", "--anonymous", "--endpoint", "http://new")):
        assert os.environ[CREDENTIALS] == "anonymous"
        assert os.environ["AWS_ENDPOINT_URL_S3"] == "http://new"
    assert CREDENTIALS not in os.environ
    assert os.environ["AWS_ENDPOINT_URL_S3"] == "http://old"


def filled(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        points_store(server.at("x"), cloud(60))


def test_a_public_bucket_is_described_with_nothing_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with s3_server(public=True) as server:
        filled(server, monkeypatch)
        assert main(["info", server.at("x"), "--endpoint", server.endpoint, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["vertex_count"] == 60
    with s3_server() as server:
        filled(server, monkeypatch)
        assert main(["info", server.at("x"), "--endpoint", server.endpoint]) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"zv-view: {server.at('x')} may not be read: ")
        assert said.count("\n") == 1
