"""Writes a store in a process of its own; prints the peak it adds over the input's bytes.

Arguments: the kind, the format version, and a folder that is empty.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from zarr_vectors.testing.large import BOX, WRITERS, large, write_large
from zarr_vectors.testing.memory import bytes_of, peak_of

if __name__ == "__main__":
    kind, version, folder = sys.argv[1:]
    write_large(kind, Path(folder) / "small", version, 0.01)  # what is loaded once is loaded
    arrays, named = large(kind)
    place = Path(folder) / "large"
    write = partial(WRITERS[kind], place, *arrays, format_version=version, **named, **BOX)
    print(peak_of(write)[1] / bytes_of([arrays, named]))
