"""Names below a level of 0.7, gathered by listing so that readers need not list."""

from __future__ import annotations

from collections.abc import Iterable

from zarr_vectors.constants import LINKS, OBJECT_INDEX
from zarr_vectors.core.layouts.recorded import LevelNames, Packing, chunk_numbers
from zarr_vectors.core.layouts.v07.links import ReadsLinks07, inner_path, outer_path
from zarr_vectors.core.layouts.v07.packing import Packing07
from zarr_vectors.core.paths import parse_delta


class Names07(Packing07, ReadsLinks07):
    """Gathers names."""

    def names_below(self, level: str, *, sharded: bool) -> LevelNames:
        """What is below a level: its arrays, chunks with links that no family records, shards.

        Args:
            level: The level's path.
            sharded: Some of its arrays may be packed into shards.

        Raises:
            StoreUnlistable: The place cannot list.
        """
        below = self.families_below(level)
        cells = {}
        for name in below.get(LINKS, ()):
            delta = parse_delta(name)
            if delta is None:
                continue
            inner = inner_path(level, delta)
            family = self.family(level, delta, self.get_attrs([inner, outer_path(level, delta)]))
            if family is not None and family.table is None:
                found = dict.fromkeys(self.list_cells(inner), 0)
                cells[f"{LINKS}/{name}"] = chunk_numbers(found)
        shards = {}
        for path in self.cell_arrays(level) if sharded else ():
            slots = self.shards_of(path).slots
            if slots:
                names = {chunk: slot.shard.rpartition("/")[2] for chunk, slot in slots.items()}
                shards[path.partition("/")[2]] = Packing.of(names)
        return LevelNames(below, cells, shards)

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
        names = [None, *attributes] if links else []
        linked = [path(level, 0, name) for name in names for path in (inner_path, outer_path)]
        self.expect([*([index, f"{index}/manifests"] if objects else []), *linked])
