"""Which credentials are tried, in which order: a table of what a machine may say."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from zarr_vectors.core.backends.access.attempts import ANONYMOUS, GIVEN, MACHINE, attempts
from zarr_vectors.core.backends.access.options import Given, given_in
from zarr_vectors.core.backends.access.profiles import Profile
from zarr_vectors.core.backends.access.sources import Facts, connection_parts, source_of

KEYS = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "hunter2"}
AMONG = Profile("lab", {"access_key_id": "AK2", "secret_access_key": "hunter3"}, region="eu-west-1")
BORROWED = Profile("work", borrowed=True)


def names(
    service: str,
    facts: Facts,
    given: Mapping[str, object] = {},
    *,
    writing: bool = False,
    choice: str = "auto",
) -> list[str]:
    ways = attempts(service, facts, given_in(service, given), writing=writing, choice=choice)
    assert all(way.signed != (way.config.get("skip_signature") == "true") for way in ways)
    return [way.name for way in ways]


@pytest.mark.parametrize("service", ["s3", "gs", "az"])
def test_a_machine_that_knows_nothing(service: str) -> None:
    nothing = Facts()
    assert names(service, nothing) == [ANONYMOUS]
    assert names(service, nothing, choice="anonymous") == [ANONYMOUS]
    assert names(service, nothing, choice="machine") == [MACHINE, ANONYMOUS]
    assert names(service, nothing, writing=True) == [MACHINE]


def test_the_metadata_service_can_be_forbidden() -> None:
    forbidden = Facts({"AWS_EC2_METADATA_DISABLED": "true"})
    assert names("s3", forbidden, writing=True) == []
    assert names("s3", forbidden, choice="machine") == [ANONYMOUS]


@pytest.mark.parametrize(
    ("service", "facts", "word"),
    [
        ("s3", Facts(KEYS), "AWS_ACCESS_KEY_ID"),
        ("s3", Facts({**KEYS, "AWS_WEB_IDENTITY_TOKEN_FILE": "x"}, AMONG), "AWS_ACCESS_KEY_ID"),
        ("s3", Facts({"AWS_WEB_IDENTITY_TOKEN_FILE": "x", "AWS_ROLE_ARN": "r"}, AMONG), "ROLE_ARN"),
        ("s3", Facts({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "u"}, AMONG), "profile 'lab'"),
        ("s3", Facts({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "u"}), "FULL_URI"),
        ("gs", Facts({"GOOGLE_BEARER_TOKEN": "t"}, google_file="/f"), "GOOGLE_BEARER_TOKEN"),
        ("gs", Facts(google_file="/f", google_kind="authorized_user"), "gcloud"),
        ("az", Facts({"AZURE_STORAGE_KEY": "k"}, azure_cli=True), "AZURE_STORAGE_KEY"),
        ("az", Facts({"AZURE_STORAGE_SAS_TOKEN": "k"}), "SAS_TOKEN"),
        ("az", Facts(azure_cli=True), "command line"),
    ],
)
def test_what_is_found_comes_first_and_nothing_last(service: str, facts: Facts, word: str) -> None:
    found, nobody = names(service, facts)
    assert word in found
    assert nobody == ANONYMOUS
    assert names(service, facts, writing=True) == [found]
    assert names(service, facts, writing=True, choice="machine") == [found]
    assert names(service, facts, choice="anonymous") == [ANONYMOUS]


@pytest.mark.parametrize(
    ("service", "option"),
    [
        ("s3", "access_key_id"),
        ("s3", "AWS_SECRET_ACCESS_KEY"),
        ("s3", "credential_provider"),
        ("gs", "google_service_account"),
        ("az", "azure_storage_account_key"),
        ("az", "use_azure_cli"),
    ],
)
def test_what_the_caller_gives_is_all_that_is_tried(service: str, option: str) -> None:
    assert names(service, Facts(KEYS, AMONG), {option: "hunter2"}) == [GIVEN]
    assert names(service, Facts(KEYS, AMONG), {"config": {option: "hunter2"}}) == [GIVEN]


def test_asking_for_no_signature() -> None:
    assert names("s3", Facts({**KEYS, "AWS_SKIP_SIGNATURE": "True"})) == [ANONYMOUS]
    assert names("s3", Facts(KEYS), {"skip_signature": True}) == [ANONYMOUS]
    said_no = names("s3", Facts({**KEYS, "AWS_SKIP_SIGNATURE": "1"}), {"skip_signature": False})
    assert len(said_no) == 2


def test_settings_come_from_the_caller_then_the_environment_then_the_profile() -> None:
    lab = Profile("lab", region="eu-west-1", endpoint="http://lab")

    def config(variables: dict[str, str], **said: str) -> tuple[str | None, str | None]:
        way = attempts("s3", Facts(variables, lab), Given(**said), writing=False)[0]
        return way.config.get("region"), way.config.get("endpoint")

    assert config({}) == ("eu-west-1", "http://lab")
    assert config({"AWS_DEFAULT_REGION": "b", "AWS_ENDPOINT_URL": "http://e"}) == ("b", "http://e")
    assert config({"AWS_ENDPOINT_URL": "http://e", "AWS_ENDPOINT_URL_S3": "http://s3"}) == (
        "eu-west-1",
        "http://s3",
    )
    assert config({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}) == ("eu-west-1", None)
    assert config({"AWS_REGION": "a"}, region="mine", endpoint="http://mine") == (None, None)


def test_helpers_that_are_not_installed_are_named() -> None:
    source = source_of("s3", Facts(profile=BORROWED))
    assert source is not None
    assert (source.helper, source.missing, source.profile) == ("boto3", "boto3", "work")
    source = source_of("s3", Facts(profile=BORROWED, installed=frozenset({"boto3"})))
    assert source is not None
    assert not source.missing
    source = source_of("gs", Facts(google_file="/f", google_kind="external_account"))
    assert source is not None
    assert source.missing.startswith("google-auth")


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("GOOGLE_BEARER_TOKEN", "bearer_token"),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", "service_account_key"),
        ("GOOGLE_SERVICE_ACCOUNT", "service_account"),
    ],
)
def test_what_is_found_for_google_is_handed_on(variable: str, setting: str) -> None:
    """A driver that does not read the variable would ask the metadata service instead."""
    source = source_of("gs", Facts({variable: "hunter2"}))
    assert source is not None
    assert source.config == {setting: "hunter2"}


def test_connection_strings_of_azure() -> None:
    text = (
        "DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=aHVudGVyMg==;"
        "BlobEndpoint=http://127.0.0.1:10000/dev;"
    )
    assert connection_parts(text) == {
        "account_name": "dev",
        "account_key": "aHVudGVyMg==",
        "endpoint": "http://127.0.0.1:10000/dev",
    }
    way = attempts("az", Facts({"AZURE_STORAGE_CONNECTION_STRING": text}), Given(), writing=True)[0]
    assert way.config == connection_parts(text)
    assert connection_parts("nonsense;;=") == {}


def test_nothing_shows_a_secret() -> None:
    facts = Facts({**KEYS, "AZURE_STORAGE_KEY": "hunter2"}, AMONG)
    shown = [repr(facts), repr(source_of("az", facts)), repr(AMONG)]
    for service in ("s3", "gs", "az"):
        shown += map(repr, attempts(service, facts, Given(), writing=False))
    assert "hunter" not in "".join(shown)
