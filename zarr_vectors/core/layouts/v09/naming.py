"""Names below a level of 0.9, gathered by listing so that readers need not list."""

from __future__ import annotations

from collections.abc import Iterable

from zarr_vectors.constants import LINKS, OBJECT_INDEX, VERTEX_FRAGMENTS
from zarr_vectors.core.layouts.recorded import LevelNames
from zarr_vectors.core.layouts.v09.families import attribute_path, family_path
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

    def look_ahead(
        self,
        level: str,
        *,
        objects: bool = False,
        fragments: bool = False,
        links: bool = False,
        attributes: Iterable[str] = (),
    ) -> None:
        """Fetch along with the next documents those of parts of a level that are read soon."""
        index = f"{level}/{OBJECT_INDEX}"
        self.expect(
            [
                *([index, f"{index}/manifests", f"{index}/object_ids"] if objects else []),
                *([f"{level}/{VERTEX_FRAGMENTS}"] if fragments else []),
                *([family_path(level, 0)] if links else []),
                *(attribute_path(level, name, 0) for name in attributes),
            ]
        )
