"""Values of far places kept on this machine's disk, for later runs and for other processes.

Nothing in the folder is trusted: a file counts only if it is as long as it says and its hash fits
its content and its place. It holds bytes of a store as they came, and is never run or unpickled.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

from zarr_vectors.exceptions import StoreError, ZVWarning

DISK_BYTES = 4 * 2**30
"""Bytes kept unless asked otherwise."""

_MAGIC = b"ZVCACHE1"
_HEAD = struct.Struct("<8sQ32s")
_NEW = ".new-"
_LEFT_S = 3600.0
"""Age at which an unfinished file was left by a process that is gone."""
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_READ |= getattr(os, "O_BINARY", 0)


class DiskCache:
    """Values by store and name; several processes may use one folder at once.

    Args:
        folder: Where; made where missing, for this user alone.
        most_bytes: Bytes to keep; those not used for longest go first.

    Raises:
        StoreError: Others may read or change the folder, or it cannot be made.
    """

    def __init__(self, folder: str | Path, most_bytes: int = DISK_BYTES) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self.most_bytes = most_bytes
        self.refused = 0
        self._written = most_bytes  # of others at first: looked at with the first value
        self._broken = False
        self._lock = threading.Lock()
        self._make()

    def __repr__(self) -> str:
        return f"DiskCache({str(self.folder)!r}, {self.most_bytes})"

    def get(self, store: str, name: str) -> bytes | None:
        """A value that was kept; None where there is none, or none that is whole and unchanged.

        Args:
            store: Fingerprint of the store.
            name: What of it.
        """
        path = self._path(store, name)
        try:
            fd = os.open(path, _READ)
        except OSError:
            return None
        with open(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                return None
            data = file.read(self.most_bytes + _HEAD.size + 1)
        body = data[_HEAD.size :]
        if data[: _HEAD.size] != _head(store, name, body):
            self.refused += 1
            with suppress(OSError):
                path.unlink()
            return None
        with suppress(OSError):
            os.utime(path)
        return body

    def put(self, store: str, name: str, data: bytes) -> None:
        """Keep a value, whole or not at all; values too large for the folder are not kept."""
        size = len(data) + _HEAD.size
        if self._broken or size > self.most_bytes // 8:
            return
        path = self._path(store, name)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd, new = tempfile.mkstemp(prefix=_NEW, dir=path.parent)
            try:
                with open(fd, "wb") as file:
                    file.write(_head(store, name, data))
                    file.write(data)
                os.replace(new, path)
            except BaseException:  # whatever it is, nothing half stays; raised again
                with suppress(OSError):
                    os.unlink(new)
                raise
            self._make_room(size)
        except OSError as error:
            self._broken = True
            warnings.warn(
                ZVWarning(f"{self.folder} keeps nothing more: {error.strerror or error}"),
                stacklevel=2,
            )

    def _make(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.stat()
        except OSError as error:
            raise StoreError(f"the cache {self.folder} cannot be made: {error.strerror}") from None
        if os.name == "nt":
            return
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise StoreError(
                f"the cache {self.folder} may be read or changed by others: "
                "give one that is yours alone (chmod 700)"
            )

    def _path(self, store: str, name: str) -> Path:
        section = hashlib.sha256(store.encode()).hexdigest()[:40]
        file = hashlib.sha256(name.encode()).hexdigest()
        return self.folder / section / file[:2] / file[2:]

    def _make_room(self, size: int) -> None:
        with self._lock:
            self._written += size
            if self._written * 16 < self.most_bytes:
                return
            self._written = 0
        files = []
        for path in self.folder.rglob("*"):
            with suppress(OSError):  # another process removed it
                found = path.lstat()
                if not stat.S_ISDIR(found.st_mode):
                    files.append((found.st_mtime, found.st_size, path))
        used = sum(size for _, size, _ in files)
        keep = self.most_bytes - self.most_bytes // 16
        now = time.time()
        for modified, size, path in sorted(files):
            young = path.name.startswith(_NEW) and now - modified < _LEFT_S  # it is being written
            if young or (used <= keep and not path.name.startswith(_NEW)):
                continue
            with suppress(OSError):  # as above, or it is open where that keeps it
                path.unlink()
                used -= size


def _head(store: str, name: str, body: bytes) -> bytes:
    digest = hashlib.sha256(f"{len(store)} {store}{name}".encode())
    digest.update(body)
    return _HEAD.pack(_MAGIC, len(body), digest.digest())
