"""What builders of every geometry share: the store, reports, aggregations, what the root says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np

from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata import AttributeSpec, ChunkTable
from zarr_vectors.core.root_meta import RootDocument
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.carried import Carried, read_carried
from zarr_vectors.multiresolution.cross_level import CAPABILITY, CrossLevel
from zarr_vectors.multiresolution.steps import Members, Progress
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.objects import fragments_of
from zarr_vectors.writing.route import starts_of


class LevelBuilder:
    """The base of builders.

    Args:
        handle: The store, open for writing.
        aggregation: Attribute name -> how its values are reduced.
        progress: Told of every step.
        cancelled: Asked between steps; True stops.
        cross: Links between levels; none by default.
    """

    COARSE = 4096
    """Vertices at which a pyramid of its own accord is high enough."""

    def __init__(
        self,
        handle: StoreHandle,
        aggregation: Mapping[str, str],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        cross: CrossLevel | None,
    ) -> None:
        self.handle = handle
        self._aggregation = aggregation
        self._progress = progress
        self._cancelled = cancelled
        self._cross = CrossLevel(0, "none") if cross is None else cross
        self._carried: Carried | None = None
        self._done = 0
        self._steps = 0

    def close(self) -> None:
        """Let go of what was set aside."""

    def stamp(self, *, record: bool = True) -> None:
        """Write down in the root what the pyramid holds.

        Args:
            record: Also how deep links between levels go.
        """
        meta = self.handle.meta
        capabilities = dict.fromkeys((*meta.format_capabilities, *self._capabilities()))
        if self._cross.wanted:
            capabilities[CAPABILITY] = None
        changed = replace(
            meta,
            format_capabilities=tuple(capabilities),
            cross_level_depth=self._cross.depth if record else meta.cross_level_depth,
            cross_level_storage=self._cross.storage if record else meta.cross_level_storage,
        )
        root = RootDocument(self.handle.root.attributes, changed)
        self.handle = replace(self.handle, root=root)
        finish(self.handle)

    def _capabilities(self) -> Iterable[str]:
        """What the levels made can do, in the words of the root."""
        raise NotImplementedError

    def _members_of(self, reader: LevelReader, table: ChunkTable) -> Members | None:
        """Which stored rows each object has, None without objects; what is known of them is kept.

        Args:
            reader: Of the level.
            table: Its chunks with exact counts.
        """
        layout, arrays = self.handle.layout, reader.arrays
        index = layout.get_objects(arrays.path)
        self._carried = None
        if index is None or not len(index.ids):
            return None
        self._carried = read_carried(layout, arrays.path, index.ids)
        keys = table.keys()
        rows, objects = piece_rows(
            fragments_of(layout, arrays, None),
            reader.fragment_indexes(keys),
            keys,
            starts_of(table.counts),
            arrays.fragments_path,
            arrays.url,
        )
        return Members(objects, rows)

    def _aggregate(self, spec: AttributeSpec) -> reduce.Aggregation:
        categorical = spec.categories is not None
        usual = "mode" if categorical or spec.dtype.kind == "b" else "mean"
        how = self._aggregation.get(spec.name, usual)
        return reduce.check_aggregation(how, spec.name, categorical=categorical)

    def _report(self, text: str) -> None:
        self._check()
        if self._progress is not None:
            self._progress(self._done, self._steps, text)
        self._done += 1

    def _check(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise CoarseningError("building the pyramid was cancelled")


def exact_table(reader: LevelReader) -> ChunkTable:
    """The chunks of a level with their true counts."""
    table = reader.arrays.table
    if table.exact:
        return table
    found = reader.read_chunks(table.keys())
    counts = np.array([len(part.positions) for part in found.values()], np.int64)
    return ChunkTable(table.coords, counts, exact=True)
