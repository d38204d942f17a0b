"""What the files of the AWS command line say of one profile; pure."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field

_ROLES = ("role_arn", "sso_session", "sso_start_url", "credential_process", "login_session")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile of ``~/.aws/config`` and ``~/.aws/credentials``.

    Attributes:
        name: Its name.
        keys: ``access_key_id``, ``secret_access_key`` and perhaps ``session_token``; may be empty.
        borrowed: Its keys come from a role, a sign-on or a program.
        region: The region, ``""`` where it says none.
        endpoint: Address of the service, ``""`` where it says none.
    """

    name: str
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    borrowed: bool = False
    region: str = ""
    endpoint: str = ""


def read_profile(name: str, config: str, credentials: str) -> Profile | None:
    """The profile of that name, None where neither text knows it.

    Args:
        name: ``default`` or another.
        config: Text of the file of settings, sections ``[default]`` and ``[profile x]``.
        credentials: Text of the file of keys, sections ``[x]``; it wins.

    Raises:
        ValueError: A text cannot be read; the message holds nothing of it.
    """
    settings, keys = _parsed(config), _parsed(credentials)
    section = settings.get("default" if name == "default" else f"profile {name}", {})
    both = {**section, **keys.get(name, {})}
    if not both:
        return None
    found = {
        ours: both[theirs]
        for ours, theirs in (
            ("access_key_id", "aws_access_key_id"),
            ("secret_access_key", "aws_secret_access_key"),
            ("session_token", "aws_session_token"),
        )
        if both.get(theirs)
    }
    return Profile(
        name,
        keys=found if {"access_key_id", "secret_access_key"} <= set(found) else {},
        borrowed=any(both.get(key) for key in _ROLES),
        region=both.get("region", ""),
        endpoint=_endpoint(both, settings),
    )


def _endpoint(section: Mapping[str, str], settings: Mapping[str, Mapping[str, str]]) -> str:
    services = settings.get(f"services {section.get('services', '')}", {})
    for line in services.get("s3", "").splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "endpoint_url":
            return value.strip()
    return section.get("endpoint_url", "")


def _parsed(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser(strict=False, default_section="\0", allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        kind = type(error).__name__
    else:
        return {
            " ".join(name.split()): {key: value or "" for key, value in parser.items(name)}
            for name in parser.sections()
        }
    raise ValueError(kind)  # outside the handler: the cause quotes lines that may hold keys
