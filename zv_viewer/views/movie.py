"""Pictures one after the other as files: a folder of PNG files, a GIF, or a video."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError

Picture = npt.NDArray[np.uint8]

VIDEOS = (".mp4", ".mov", ".mkv", ".webm")
CODECS = {".webm": "vp9"}
CODEC = "libx264"


class MovieFile(ABC):
    """Takes pictures, (H, W, 4) each; used as a context, at whose end the file is whole.

    Args:
        out: Where.
        per_second: Pictures a second.
    """

    def __init__(self, out: Path, per_second: float) -> None:
        self._out, self._per_second = out, per_second

    @abstractmethod
    def begin(self) -> None:
        """Open what is written to."""

    @abstractmethod
    def add(self, picture: Picture) -> None:
        """The next picture."""

    @abstractmethod
    def end(self) -> None:
        """The last picture was added."""

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def movie_file(out: Path, per_second: float) -> MovieFile:
    """What writes a movie; by its suffix a GIF or a video, without one a folder of PNG files.

    Raises:
        InputError: It is of no such kind, what writes it is not installed, or its folder is not
            there.
    """
    suffix = out.suffix.lower()
    if not out.parent.is_dir():
        raise InputError(f"cannot write {out}: the folder {out.parent} does not exist")
    if not suffix:
        return PngFolder(out, per_second)
    if suffix == ".gif":
        return Gif(out, per_second)
    if suffix not in VIDEOS:
        raise InputError(f"{out.name} is no movie: give a folder, .gif, or {', '.join(VIDEOS)}")
    if find_spec("av") is None:
        raise InputError(
            f"videos need one more package: pip install 'zv-viewer[movie]'; {out.stem}, without "
            f"{suffix}, is a folder of PNG pictures"
        )
    return Video(out, per_second)


class PngFolder(MovieFile):
    """``00001.png`` and so on in a folder, which is made; equal pictures are equal files."""

    _count = 0

    def begin(self) -> None:
        """Make the folder; InputError where something is in it."""
        self._out.mkdir(exist_ok=True)
        if any(self._out.iterdir()):
            raise InputError(f"{self._out} is not empty")

    def add(self, picture: Picture) -> None:
        """The next picture."""
        from imageio.v3 import imwrite

        self._count += 1
        imwrite(self._out / f"{self._count:05d}.png", picture)

    def end(self) -> None:
        """Nothing is left to do."""


class Gif(MovieFile):
    """An animated GIF, played again and again."""

    _writer: Any = None

    def begin(self) -> None:
        """Open the file."""
        from imageio.v2 import get_writer

        self._writer = get_writer(self._out, mode="I", duration=1000 / self._per_second, loop=0)

    def add(self, picture: Picture) -> None:
        """The next picture."""
        self._writer.append_data(np.ascontiguousarray(picture[..., :3]))

    def end(self) -> None:
        """Close it."""
        self._writer.close()


class Video(MovieFile):
    """A video; its sides are even, so that a row or column of pixels may be left out."""

    _file: Any = None

    def begin(self) -> None:
        """Open the file."""
        from imageio.v3 import imopen

        self._file = imopen(self._out, "w", plugin="pyav")
        codec = CODECS.get(self._out.suffix.lower(), CODEC)
        self._file.init_video_stream(codec, fps=round(self._per_second))

    def add(self, picture: Picture) -> None:
        """The next picture."""
        height, width = (side // 2 * 2 for side in picture.shape[:2])
        self._file.write_frame(np.ascontiguousarray(picture[:height, :width, :3]))

    def end(self) -> None:
        """Close it."""
        self._file.close()
