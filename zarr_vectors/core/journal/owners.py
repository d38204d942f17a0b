"""Who writes: a process on a machine, and whether it is still there."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_QUERY = 0x1000
_STILL_ACTIVE = 259

LIVE: set[str] = set()
"""Ids of the records this process holds now; one of its own that is not here was abandoned."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from one that got its number later."""

    host: str
    pid: int
    started: str = ""
    """When the process started, as its system counts; empty where that is not known."""
    boot: str = ""
    """Which run of the machine; empty where that is not known."""
    space: str = ""
    """Which space of process numbers, on systems with several."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Owner:
        """As stored; what is missing or odd is not known."""
        texts = {key: str(data.get(key, "")) for key in ("host", "started", "boot", "space")}
        pid = data.get("pid")
        return cls(pid=pid if type(pid) is int and 0 < pid < 2**31 else 0, **texts)

    def to_dict(self) -> dict[str, Any]:
        """As stored."""
        return {
            "host": self.host,
            "pid": self.pid,
            "started": self.started,
            "boot": self.boot,
            "space": self.space,
        }


def this_process() -> Owner:
    """The process that asks."""
    return Owner(socket.gethostname(), os.getpid(), _started(os.getpid()), _boot(), _space())


def is_gone(owner: Owner, record_id: str, *, local: bool) -> bool | None:
    """Whether the writer of a record has ended; None where that cannot be known from here.

    Args:
        owner: Who wrote the record.
        record_id: The record.
        local: Whether the store is on a disk of this machine.
    """
    here = this_process()
    if owner.host != here.host or not owner.pid:
        return None
    if owner.boot != here.boot:
        return True if local else None
    if owner.space != here.space:
        return None
    if owner == here:
        return record_id not in LIVE
    if not _exists(owner.pid):
        return True
    started = _started(owner.pid)
    return bool(owner.started and started and owner.started != started)


def _exists(pid: int) -> bool:
    if sys.platform == "win32":
        return _exists_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _state(pid) != "Z"  # killed, and not yet asked after by the process that started it


def _exists_on_windows(pid: int) -> bool:
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009 - known on that system only
    process = kernel.OpenProcess(_QUERY, False, pid)
    if not process:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(process, ctypes.byref(code))
    kernel.CloseHandle(process)
    return code.value == _STILL_ACTIVE


def _stat(pid: int) -> list[str]:
    """Fields of a process from its state on, where the system tells."""
    text = _text(f"/proc/{pid}/stat")
    return text.rpartition(")")[2].split()


def _state(pid: int) -> str:
    return next(iter(_stat(pid)), "")


def _started(pid: int) -> str:
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


@cache
def _boot() -> str:
    return _text("/proc/sys/kernel/random/boot_id").strip()


@cache
def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
