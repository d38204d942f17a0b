"""Groups, documents and errors that name their place: what both layouts stand on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from zarr_vectors.constants import (
    CROSS_CHUNK_LINKS,
    FACE_ATTRIBUTES,
    FRAGMENT_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    KIND_KEY,
    LINK_ATTRIBUTES,
    LINKS,
    NODE,
    OBJECT_ATTRIBUTES,
    OLD_KIND_KEY,
    VERTEX_ATTRIBUTES,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core import paths
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.documents import attributes_of, group_document, parse_document
from zarr_vectors.core.layouts.ahead import Ahead, ReadsValues
from zarr_vectors.core.layouts.recorded import Promises, Recorded
from zarr_vectors.exceptions import ArrayError, StoreUnlistable
from zarr_vectors.typing import ChunkCoords

FAMILIES = (
    VERTEX_ATTRIBUTES,
    FRAGMENT_ATTRIBUTES,
    LINKS,
    CROSS_CHUNK_LINKS,
    LINK_ATTRIBUTES,
    "cross_chunk_link_attributes",
    FACE_ATTRIBUTES,
    OBJECT_ATTRIBUTES,
    GROUP_ATTRIBUTES,
)
"""Groups of a level that hold named arrays."""

Documents = dict[str, dict[str, Any]]

_FAMILY_KINDS = {
    VERTEX_ATTRIBUTES: "attribute",
    "fragment_attributes": "fragment_attribute",
    "link_attributes": "link_attribute",
    "object_attributes": "object_attribute",
    "group_attributes": "groupings_attribute",
}


class Tree:
    """Groups over a backend; the base of both layouts.

    Args:
        backend: Where the store is.
    """

    def __init__(self, backend: StorageBackend) -> None:
        self.backend = backend
        self.recorded = Recorded()
        self.promises: Promises | None = None
        self._groups: set[str] = set()
        self._expected: dict[str, None] = {}
        self._ahead: dict[str, bytes | None] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.backend!r})"

    def forget(self) -> None:
        """Drop what is remembered of the stored documents, which others may have changed."""
        self._groups.clear()
        self._expected.clear()
        self._ahead.clear()
        self.recorded = Recorded()
        self.promises = None

    def documents(self, wanted: Iterable[str]) -> Documents:
        """Documents of the nodes that exist, by path, in one batch.

        Raises:
            MetadataError: A document is malformed.
        """
        return self.documents_ahead(wanted, ())[0]

    def documents_ahead(
        self, wanted: Iterable[str], keys: Iterable[str]
    ) -> tuple[Documents, ReadsValues]:
        """Documents as above, and a reader that has the values of some keys from the same batch.

        Keys are not fetched ahead from a disk, where a batch is no faster than its parts.
        """
        nodes = {paths.node(path): path for path in wanted}
        if self.backend.local_path is not None:
            found, reader = self.backend.get_many(nodes), self.backend
            return self._parsed(nodes, found), reader
        held = {key: self._ahead.pop(key) for key in nodes if key in self._ahead}
        asked = list(dict.fromkeys(keys))
        expected = [key for key in self._expected if key not in nodes]
        self._expected.clear()
        rest = [key for key in nodes if key not in held]
        batch = [*rest, *asked, *expected]
        found = self.backend.get_many(batch) if batch else {}
        self._ahead.update((key, found.get(key)) for key in expected)
        found |= {key: data for key, data in held.items() if data is not None}
        return self._parsed(nodes, found), Ahead(self.backend, asked, found)

    def expect(self, wanted: Iterable[str]) -> None:
        """Say whose documents are asked for soon: they come with the next ones, and are kept once.

        Nothing where it costs no round trip, and where they may be written meanwhile.
        """
        self._ahead.clear()
        if self.backend.local_path is None and self.backend.read_only:
            self._expected.update(dict.fromkeys(map(paths.node, wanted)))

    def _parsed(self, nodes: Mapping[str, str], found: Mapping[str, bytes]) -> Documents:
        return {
            path: parse_document(found[key], f"{key} of {self.backend.url}")
            for key, path in nodes.items()
            if key in found
        }

    def get_attrs(self, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Attributes of the groups and arrays that exist, in one batch."""
        return {
            path: attributes_of(document, self._named(path))
            for path, document in self.documents(wanted).items()
        }

    def put_attrs(self, groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Create groups, or replace their attributes; groups above them are made as needed."""
        batch = {paths.node(path): group_document(attrs) for path, attrs in groups.items()}
        self.backend.put_many({**self.missing_parents(groups), **batch})
        self._groups.update(groups)

    def missing_parents(self, below: Iterable[str]) -> dict[str, bytes]:
        """Documents to write for the groups above some paths that do not exist yet."""
        above = {group for path in below for group in paths.parents(paths.join(path))}
        above -= self._groups
        there = self.backend.get_many(paths.node(group) for group in sorted(above)) if above else {}
        self._groups |= above
        empty = group_document({})
        return {key: empty for key in map(paths.node, sorted(above)) if key not in there}

    def children(self, path: str) -> list[str]:
        """Sorted names directly below a group, recorded ones where the place cannot list.

        Raises:
            StoreUnlistable: The place cannot list, and nothing is recorded.
        """
        try:
            names = self.backend.list_dir(paths.join(path))
        except StoreUnlistable as error:
            known = self.recorded.names(path)
            if known is None:
                raise self.unlisted(path, error) from error
            return known
        return [n for n in names if n != NODE and paths.name_fault(n) is None and n[0] != "."]

    def array_names(self, parent: str) -> list[str]:
        """Sorted names of the logical arrays below a family path, recorded ones that are gone too.

        Raises:
            StoreUnlistable: The place cannot list, and nothing is recorded.
        """
        names = self.children(parent)
        if self.promises is None:
            return names
        gone = self.promises.below(parent).difference(names)
        return sorted([*names, *gone]) if gone and self.promises.hold(parent) else names

    def check_absent(self, path: str) -> None:
        """An array that is not there is damage where the store's record tells of it.

        Raises:
            ArrayError: It does.
        """
        parent, _, name = path.rpartition("/")
        told = self.promises
        if told is not None and name in told.below(parent) and told.hold(parent):
            raise self.damaged(path, "it is recorded and not there")

    def families_below(self, level: str) -> dict[str, tuple[str, ...]]:
        """Names below a level's group and below its families, by path within the level."""
        top = tuple(self.children(level))
        families = {name: self.children(f"{level}/{name}") for name in top if name in FAMILIES}
        return {"": top} | {name: tuple(names) for name, names in families.items()}

    def unlisted(self, path: str, error: StoreUnlistable) -> StoreUnlistable:
        """Error about a place that cannot list, and nothing records what would be listed."""
        return StoreUnlistable(
            f"{error} and does not record what is below {path or 'its root'}: run "
            "`zv-view index STORE` where the store is kept"
        )

    def delete(self, path: str) -> None:
        """Remove the group or array at ``path`` and all below it."""
        self.backend.delete_prefix(paths.join(path))
        self.forget()

    @contextmanager
    def blaming(self, path: str, chunk: ChunkCoords | None = None) -> Iterator[None]:
        """Name array, chunk and store in an :class:`ArrayError` raised inside the block."""
        try:
            yield
        except ArrayError as error:
            raise self.damaged(path, str(error), error.chunk or chunk) from error

    def damaged(self, path: str, reason: str, chunk: ChunkCoords | None = None) -> ArrayError:
        """Error about an array, or one chunk of it, that cannot be read."""
        place = f"chunk {paths.format_chunk(chunk)} of " if chunk is not None else ""
        return ArrayError(
            f"{place}{path} in {self.backend.url} is damaged: {reason}", array=path, chunk=chunk
        )

    def _named(self, path: str) -> str:
        return f"{path or 'the root'} of {self.backend.url}"


def with_kind(path: str, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with the family an array's path says it belongs to, and its name."""
    segments = path.split("/")
    family = next((s for s in segments[:-1] if s in _FAMILY_KINDS), None)
    found: dict[str, Any] = {}
    if family is not None:
        name = segments[segments.index(family) + 1]
        found = {KIND_KEY: _FAMILY_KINDS[family], "name": name}
    elif segments[-1] in {VERTICES, VERTEX_FRAGMENTS, "link_fragments"}:
        found = {KIND_KEY: segments[-1]}
    elif "links" in segments[:-1]:
        found = {KIND_KEY: "links"}
    return found | dict(meta)


def without_old_spelling(meta: dict[str, Any]) -> dict[str, Any]:
    """Metadata with the family key as it is spelled today."""
    if OLD_KIND_KEY in meta:
        meta.setdefault(KIND_KEY, meta[OLD_KIND_KEY])
        del meta[OLD_KIND_KEY]
    return meta
