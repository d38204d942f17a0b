"""Names below a level of 0.9, gathered by listing so that readers need not list."""

from __future__ import annotations

from zarr_vectors.constants import LINKS
from zarr_vectors.core.layouts.recorded import LevelNames
from zarr_vectors.core.layouts.v09.families import family_path
from zarr_vectors.core.layouts.v09.links import ReadsLinks09
from zarr_vectors.core.paths import parse_delta


class Names09(ReadsLinks09):
    """Gathers names."""

    def names_below(self, level: str, *, sharded: bool) -> LevelNames:
        """What is below a level: its arrays, and arrays of links that no family records.

        Args:
            level: The level's path.
            sharded: Some of its arrays may be packed: their documents say so.

        Raises:
            StoreUnlistable: The place cannot list.
        """
        below = self.families_below(level)
        for name in below.get(LINKS, ()):
            delta = parse_delta(name)
            if delta is None:
                continue
            path = family_path(level, delta)
            attrs = self.get_attrs([path]).get(path)
            if attrs is not None and self.family(level, delta, attrs).segments is None:
                below[f"{LINKS}/{name}"] = tuple(self.children(path))
        return LevelNames(below, shards={})
