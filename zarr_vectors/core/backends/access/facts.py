"""What this machine says of credentials: its environment and a few small files."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from zarr_vectors.core.backends.access.profiles import Profile, read_profile
from zarr_vectors.core.backends.access.sources import Facts
from zarr_vectors.exceptions import StoreError

_MOST = 2**20


def facts_for(
    service: str, profile: str | None = None, variables: Mapping[str, str] | None = None
) -> Facts:
    """What concerns one service.

    Args:
        service: ``s3``, ``gs`` or ``az``.
        profile: Profile of the AWS files; ``AWS_PROFILE`` or ``default`` when None.
        variables: Stands in for the environment.

    Raises:
        StoreError: A profile or file that was named is not there, or cannot be read.
    """
    said = dict(os.environ if variables is None else variables)
    if service == "s3":
        found = _aws_profile(said, profile)
        return Facts(said, profile=found, installed=_installed("boto3"))
    if service == "gs":
        path, kind = _google_file(said)
        return Facts(
            said, google_file=path, google_kind=kind, installed=_installed("google", "google.auth")
        )
    return Facts(said, azure_cli=_azure_cli(said))


def _aws_profile(said: Mapping[str, str], chosen: str | None) -> Profile | None:
    folder = _home(said) / ".aws"
    config = said.get("AWS_CONFIG_FILE") or folder / "config"
    keys = said.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials"
    asked = chosen or said.get("AWS_PROFILE") or said.get("AWS_DEFAULT_PROFILE")
    try:
        found = read_profile(asked or "default", _text(config), _text(keys))
    except ValueError as error:
        reason = str(error)
    else:
        if found is None and asked:
            raise StoreError(f"there is no AWS profile {asked!r} in {config} or {keys}")
        return found
    raise StoreError(f"the AWS files {config} and {keys} cannot be read: {reason}")


def _google_file(said: Mapping[str, str]) -> tuple[str, str]:
    """Path and kind of the application default credentials, two empty texts where none are."""
    chosen = said.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    folder = said.get("CLOUDSDK_CONFIG") or (
        os.path.join(said.get("APPDATA", ""), "gcloud")
        if os.name == "nt"
        else _home(said) / ".config" / "gcloud"
    )
    path = chosen or os.path.join(folder, "application_default_credentials.json")
    text = _text(path)
    if not text:
        if chosen:
            raise StoreError(f"GOOGLE_APPLICATION_CREDENTIALS names {chosen}, which is not there")
        return "", ""
    try:
        content = json.loads(text)
        return path, str(content["type"])
    except (ValueError, KeyError, TypeError):
        pass
    raise StoreError(f"{path} holds no Google credentials")


def _azure_cli(said: Mapping[str, str]) -> bool:
    folder = said.get("AZURE_CONFIG_DIR") or _home(said) / ".azure"
    text = _text(Path(folder) / "azureProfile.json")
    try:
        signed_in = bool(json.loads(text.lstrip("\ufeff"))["subscriptions"]) if text else False
    except (ValueError, KeyError, TypeError):  # whatever it is, nobody is signed in by it
        signed_in = False
    return signed_in and shutil.which("az", path=said.get("PATH")) is not None


def _home(said: Mapping[str, str]) -> Path:
    home = said.get("USERPROFILE" if os.name == "nt" else "HOME")
    return Path(home) if home else Path(os.path.expanduser("~"))


def _text(path: str | Path) -> str:
    """Text of a small file; empty where there is none."""
    try:
        with open(os.path.expanduser(path), encoding="utf-8", errors="replace") as file:
            return file.read(_MOST)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error


def _installed(*names: str) -> frozenset[str]:
    """The last of the names, where all of them can be imported."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            return frozenset()
    return frozenset(names[-1:])
