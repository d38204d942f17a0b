"""Arrays that a store's record of names tells of, so that one that is gone is not passed over."""

from __future__ import annotations

from collections.abc import Mapping

from zarr_vectors.core.layouts.base import KeepsGroups
from zarr_vectors.core.layouts.recorded import LevelNames
from zarr_vectors.core.outline import entries_of, is_of, names_in
from zarr_vectors.core.root_meta import LevelDocument, RootDocument


class PromisedNames:
    """Names by the record, which is believed of a level whose own attributes are those recorded.

    Nothing is looked at before something is missing.

    Args:
        layout: The store.
        root: Its metadata.
        levels: Its levels, by number.
    """

    def __init__(
        self, layout: KeepsGroups, root: RootDocument, levels: Mapping[int, LevelDocument]
    ) -> None:
        self._layout = layout
        self._root = root
        self._levels = {str(number): level for number, level in levels.items()}
        self._known: dict[str, LevelNames | None] = {}
        self._same: dict[str, bool] = {}

    def below(self, path: str) -> frozenset[str]:
        """Names recorded below a group; none where nothing is recorded."""
        level, _, rest = path.partition("/")
        if level not in self._known:
            self._known[level] = self._names(level)
        names = self._known[level]
        return frozenset(() if names is None else names.below.get(rest, ()))

    def hold(self, path: str) -> bool:
        """Whether the level that a path is in is still the one recorded."""
        level = path.partition("/")[0]
        document = self._levels[level]
        if document.recorded and level not in self._same:
            own = self._layout.get_attrs([level]).get(level)
            self._same[level] = own == document.attributes
        return self._same.get(level, True)

    def _names(self, level: str) -> LevelNames | None:
        document = self._levels.get(level)
        if document is None or document.doubtful:
            return None
        if document.names is not None:
            return document.names
        entry = (entries_of(self._root) or {}).get(document.meta.level)
        return names_in(entry) if entry is not None and is_of(self._root) else None
