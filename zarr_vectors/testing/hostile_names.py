"""Names that a stranger's metadata may hold instead of those of arrays, levels, files or hosts."""

from __future__ import annotations

import itertools
import ntpath
import posixpath
from typing import Final
from urllib.parse import unquote, urljoin

RESERVED: Final = (
    "con",
    "PRN",
    "aux",
    "nul",
    "NUL.txt",
    "com1",
    "COM¹",
    "lpt9",
    "conin$",
    "nul .x",
)
_SEGMENTS: Final = (
    *(
        "",
        ".",
        "..",
        "...",
        "a\\b",
        "..\\..",
        "\\\\host\\share",
        "\\\\?\\C:\\x",
        "a\0",
        "\0",
        "a\nb",
    ),
    *("C:", "C:x", "c:\\x", "x.", "x ", " ", "\x7f", "\x1b[2J", "\ud800", "n" * 256, "é" * 128),
    *RESERVED,
)
_FORMS: Final = ("{}", "0/{}", "{}/x", "0/{}/zarr.json", "0/vertices/{}/c/0", "../{}")
_WHOLE: Final = (
    *("/etc/passwd", "//host/share", "a//b", "a/", "/", "0/../../x", "..", "a/./b", "~/x/../../y"),
    *("../../outside", "/outside", "..\\..\\outside", "0/../../../outside/secret", "a/b/../../.."),
    *("http://127.0.0.1:1/x", "https://example.org/x", "s3://bucket/x", "file:///etc/passwd"),
    *("//127.0.0.1:1/x", "gs://b/x", "az://c/x", "memory://other/x", "\\\\127.0.0.1\\x"),
)
HOSTILE: Final = tuple(
    sorted({f.format(s) for f, s in itertools.product(_FORMS, _SEGMENTS)} | {*_WHOLE})
)
"""Names and keys that are to be refused, the empty one among them."""

ODD: Final = (
    *(
        "%2e%2e",
        "%2e%2e%2fsecret",
        "%00",
        "?token=x",
        "#x",
        "a?b",
        "\u2025",
        "\uff0e\uff0e",
        "$HOME",
    ),
    *("~root", "`id`", "$(id)", "<b>x</b>", "\u202egnp", "..%2f..%2fsecret", "&&", "%5c..%5c"),
)
"""Names that are odd and name nothing but themselves."""


def leaves_root(key: str) -> str:
    """By whose rules a key names something outside of the root it is joined to; empty for nobody's.

    Written without the library's own check, to check that.
    """
    posix = posixpath.normpath(f"/place/store/{key}")
    if not posix.startswith("/place/store/") or key.startswith("/") or "\0" in key:
        return "posix"
    windows = ntpath.normpath(ntpath.join("C:\\place\\store", key))
    if not windows.startswith("C:\\place\\store\\") or ":" in key.split("/", 1)[0]:
        return "windows"
    base = "http://host/place/store/"
    if not urljoin(base, key).startswith(base) or ".." in unquote(unquote(key)).split("/"):
        return "" if "%" in key else "url"  # a percent sign is quoted before a key is sent
    return ""
