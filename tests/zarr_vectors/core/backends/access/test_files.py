"""The usual files of the command lines, read from a home of the test."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from zarr_vectors.core.backends.access.facts import facts_for
from zarr_vectors.core.backends.access.profiles import read_profile
from zarr_vectors.exceptions import StoreError

CONFIG = """
[default]
region = us-west-2
[profile lab]
region=eu-central-1
services = here
endpoint_url = http://everything
[profile sso]
sso_session = x
sso_account_id = 1
[services here]
s3 =
  endpoint_url = http://bucket.lab
  addressing_style = path
dynamodb =
  endpoint_url = http://no
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = lab
"""
TOKEN = {"session_token": "token=="}
KEYS = """
[default]
aws_access_key_id = AK
aws_secret_access_key = hunter2
[lab]
aws_access_key_id=AKL
aws_secret_access_key=hunter3
aws_session_token=token==
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "PATH": str(tmp_path)}


def test_profiles() -> None:
    default = read_profile("default", CONFIG, KEYS)
    assert default is not None
    assert default.keys == {"access_key_id": "AK", "secret_access_key": "hunter2"}
    assert (default.region, default.endpoint, default.borrowed) == ("us-west-2", "", False)
    lab = read_profile("lab", CONFIG, KEYS)
    assert lab is not None
    assert lab.keys == {"access_key_id": "AKL", "secret_access_key": "hunter3", **TOKEN}
    assert (lab.region, lab.endpoint) == ("eu-central-1", "http://bucket.lab")
    for name in ("sso", "role"):
        borrowed = read_profile(name, CONFIG, KEYS)
        assert borrowed is not None
        assert (borrowed.borrowed, borrowed.keys) == (True, {})
    assert read_profile("nobody", CONFIG, KEYS) is None
    half = read_profile("default", "", "[default]\naws_access_key_id = AK\n")
    assert half is not None
    assert half.keys == {}


def test_the_aws_files_of_a_home(home: dict[str, str], tmp_path: Path) -> None:
    assert facts_for("s3", variables=home).profile is None
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    elsewhere = tmp_path / "keys"
    elsewhere.write_text(KEYS)
    said = {**home, "AWS_SHARED_CREDENTIALS_FILE": str(elsewhere)}
    found = facts_for("s3", variables=said).profile
    assert found is not None
    assert (found.name, found.keys["access_key_id"]) == ("default", "AK")
    found = facts_for("s3", variables={**said, "AWS_PROFILE": "lab"}).profile
    assert found is not None
    assert found.region == "eu-central-1"
    found = facts_for("s3", "sso", variables={**said, "AWS_PROFILE": "lab"}).profile
    assert found is not None
    assert found.borrowed
    with pytest.raises(StoreError, match="no AWS profile 'nobody'"):
        facts_for("s3", "nobody", variables=said)


def test_damaged_files_are_named_and_not_quoted(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text("aws_secret_access_key = hunter2\n")
    with pytest.raises(StoreError, match=r"credentials cannot be read") as caught:
        facts_for("s3", variables=home)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_application_default_credentials(home: dict[str, str], tmp_path: Path) -> None:
    said = {**home, "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}
    assert facts_for("gs", variables=said).google_file == ""
    (tmp_path / "gcloud").mkdir()
    found = tmp_path / "gcloud" / "application_default_credentials.json"
    found.write_text(json.dumps({"type": "authorized_user", "refresh_token": "hunter2"}))
    facts = facts_for("gs", variables=said)
    assert (facts.google_file, facts.google_kind) == (str(found), "authorized_user")
    named = {**said, "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key.json")}
    with pytest.raises(StoreError, match=r"key\.json, which is not there"):
        facts_for("gs", variables=named)
    (tmp_path / "key.json").write_text('{"private_key": "hunter2"')
    with pytest.raises(StoreError, match="holds no Google credentials") as caught:
        facts_for("gs", variables=named)
    assert "hunter2" not in str(caught.value)
    (tmp_path / "key.json").write_text('{"type": "external_account"}')
    assert facts_for("gs", variables=named).google_kind == "external_account"


def test_signed_in_by_the_azure_command_line(home: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / ".azure"
    folder.mkdir()
    assert not facts_for("az", variables=home).azure_cli
    (folder / "azureProfile.json").write_text('\ufeff{"subscriptions": [{"id": "x"}]}', "utf-8")
    assert not facts_for("az", variables=home).azure_cli
    program = tmp_path / "az"
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert facts_for("az", variables=home).azure_cli
    (folder / "azureProfile.json").write_text('{"subscriptions": []}')
    assert not facts_for("az", variables=home).azure_cli
