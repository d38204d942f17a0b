"""Filters a user sets up: a line for each, all of which an object must meet."""

from __future__ import annotations

from typing import Any

from zv_viewer.model.objects import ObjectTable
from zv_viewer.objects import (
    GROUP,
    ID,
    AttributeRange,
    CategorySet,
    Filter,
    GroupSet,
    IdSet,
    RandomShare,
    column_of,
    keys_of,
)
from zv_viewer.objects.columns import title_of
from zv_viewer.widgets.filter_lines import FilterLine, FilterLines, names_editor
from zv_viewer.widgets.object_editors import Choice, Ends, Names, Numbers, Share
from zv_viewer.widgets.rule_line import object_rule_words

SHARE = "(random share)"

Editor = Ends | Choice | Names | Numbers | Share


class ObjectFilterLine(FilterLine):
    """One filter of objects.

    Args:
        table: The objects.
    """

    def __init__(self, table: ObjectTable) -> None:
        self._table = table
        keys = keys_of(table)
        titles = [(title_of(table, key), key) for key in keys]
        super().__init__([*titles, ("random share", SHARE)], first=1 if len(keys) > 1 else 0)

    @property
    def key(self) -> str:
        """Key of the column it looks at."""
        return str(self.target.currentData())

    def rule(self) -> Filter | None:
        """The filter; None while its values say nothing."""
        include = self.include
        editor: Editor = self.editor
        if isinstance(editor, Share):
            return RandomShare(editor.share(), editor.seed(), include)
        if isinstance(editor, Numbers):
            ids = editor.numbers()
            return IdSet(ids, include) if ids else None
        if isinstance(editor, Names):
            return self._named(editor.names(), include=include)
        if isinstance(editor, Choice):
            chosen = editor.chosen()
            if not chosen:
                return None
            if self.key == GROUP:
                return GroupSet(chosen, include)
            categories = column_of(self._table, self.key).categories or ()
            return CategorySet(self.key, frozenset(categories[i] for i in chosen), include)
        ends = editor.ends()
        return None if ends is None else AttributeRange(self.key, *ends, include)

    def _named(self, names: frozenset[str], *, include: bool) -> Filter | None:
        if not names:
            return None
        if self.key != GROUP:
            return CategorySet(self.key, names, include)
        known = enumerate(self._table.groups.names)
        return GroupSet(frozenset(group for group, name in known if name in names), include)

    def make_editor(self) -> Editor:
        """What takes the values of the present column."""
        if self.key == SHARE:
            return Share()
        if self.key == ID:
            return Numbers()
        column = column_of(self._table, self.key)
        if column.categories is None:
            return Ends(column.limits)
        return names_editor(column.categories)


class ObjectFilterList(FilterLines):
    """Filters of the objects of one table."""

    def __init__(self) -> None:
        super().__init__()
        self._table: ObjectTable | None = None

    def set_table(self, table: ObjectTable | None) -> None:
        """Offer the columns of another table; filters set up go."""
        lines, self._table = self.lines, table
        self.show_lines([])
        for line in lines:
            line.deleteLater()
        self.add.setEnabled(table is not None and len(table) > 0)

    def new_line(self) -> ObjectFilterLine | None:
        """A filter that says nothing yet; None while there is no table."""
        return None if self._table is None else ObjectFilterLine(self._table)

    def words_of(self, rule: Any) -> str:  # noqa: ANN401 - a filter
        """What a filter says."""
        return object_rule_words(rule, () if self._table is None else self._table.groups.names)
