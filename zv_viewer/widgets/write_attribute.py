"""The dock that writes an attribute: a dry run first, then the write, its colours, and undo."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Container, LineEdit, ProgressBar, PushButton

from zarr_vectors.exceptions import ZVError
from zarr_vectors.multiresolution.strategies.points import AGGREGATIONS
from zv_viewer.edits.dry_run import DryRun
from zv_viewer.edits.request import Request
from zv_viewer.edits.saved import Edit
from zv_viewer.edits.scopes import Scope, scopes_of
from zv_viewer.edits.words import dry_run_lines, edit_words, key_lines
from zv_viewer.errors import InputError
from zv_viewer.session import StoreSession, registry, sessions_in
from zv_viewer.session.editing import Editing, editing_of
from zv_viewer.widgets.edit_names import names_known
from zv_viewer.widgets.edit_outcome import MOST_KEYS, Outcome, as_tip
from zv_viewer.widgets.edit_source import SourceForm

WRITE_DOCK = "Write attribute"
AS_IT_IS = "as computed"
USUAL = "usual (mean, or mode of categories)"
DTYPES = (AS_IT_IS, "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16")
ORDER = "edits are undone the latest first"
SHARES = 1000


class WriteAttribute(Container[Any]):
    """Writes attributes to the stores of a viewer, one at a time.

    Args:
        napari_viewer: A viewer or its public proxy.
    """

    def __init__(self, napari_viewer: Any) -> None:  # noqa: ANN401 - as above
        self._viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self._editing: Editing | None = None
        self.store = ComboBox(label="store", choices=self._stores, name="store", nullable=True)
        self.level = ComboBox(label="level", choices=self._levels, name="level", nullable=True)
        self.scope = ComboBox(label="scope", choices=self._scopes, name="scope")
        self.new_name = LineEdit(label="name", name="new_name")
        self.source = SourceForm(self._viewer, lambda: self.session, self.say, self._on_asked)
        self.dtype = ComboBox(label="stored as", choices=DTYPES, name="dtype")
        self.carry = CheckBox(value=True, text="also to coarser levels", name="carry")
        self.aggregation = ComboBox(label="there", choices=(USUAL, *AGGREGATIONS), name="there")
        self.replace = CheckBox(text="replace one of that name", name="replace")
        self.rehearse = PushButton(text="Dry run", name="rehearse")
        self.write = PushButton(text="Write", name="write")
        self.cancel = PushButton(text="Cancel", name="cancel")
        self.progress = ProgressBar(max=SHARES, name="progress")
        self.outcome = Outcome(name="outcome")
        self.undo = PushButton(text="Undo", name="undo")
        self.redo = PushButton(text="Redo", name="redo")
        what = [self.store, self.level, self.scope, self.new_name, *self.source.rows]
        how = [self.dtype, self.carry, self.aggregation, self.replace]
        form = Container(widgets=[*what, *how[:-1]], labels=True)
        form.append(self.replace)  # magicgui brings labels to one width when one is added
        buttons = [self.rehearse, self.write, self.cancel], [self.undo, self.redo]
        work, back = (Container(widgets=row, layout="horizontal", labels=False) for row in buttons)
        super().__init__(widgets=[form, work, self.progress, self.outcome, back], labels=False)
        for one in (form, work, back):
            one.margins = (0, 0, 0, 0)
        self.source.show_rows()
        for one in (self.scope, self.new_name, *how, self.level):
            one.changed.connect(self._on_asked)
        self.store.changed.connect(self._on_store)
        self.rehearse.changed.connect(self._rehearse)
        self.write.changed.connect(lambda: self._do("write"))
        self.cancel.changed.connect(lambda: self._do("cancel"))
        self.undo.changed.connect(lambda: self._do("undo"))
        self.redo.changed.connect(lambda: self._do("redo"))
        registry.signals.added.connect(self._list_stores)
        registry.signals.removed.connect(self._list_stores)
        # of Qt, only the widgets are: what they hear must be ended with them
        self.native.destroyed.connect(self._let_go)
        self._list_stores()

    @property
    def session(self) -> StoreSession | None:
        """The store chosen."""
        named = {one.layer.name: one for one in sessions_in(self._viewer.layers)}
        return named.get(self.store.value)

    def say(self, text: str) -> None:
        """Show a sentence."""
        self.outcome.show_text(text)

    # which store

    def _stores(self, *_: object) -> list[str]:
        return [one.layer.name for one in sessions_in(self._viewer.layers)]

    def _levels(self, *_: object) -> list[int]:
        session = self.session
        scene = None if session is None else session.scene
        return [] if scene is None else [level.index for level in scene.levels]

    def _scopes(self, *_: object) -> tuple[Scope, ...]:
        session = self.session
        scene = None if session is None else session.scene
        if scene is None:
            return scopes_of(None, objects=True)
        return scopes_of(scene.geometry, objects=scene.has_objects)

    def _names(self) -> tuple[str, ...]:
        session = self.session
        if session is None or session.scene is None:
            return ()
        table = None if session.objects is None else session.objects.table
        return names_known(session.scene, table, self.scope.value)

    def _list_stores(self, *_: object) -> None:
        self.store.reset_choices()
        known = self._stores()
        if known and self.store.value not in known:
            self.store.value = known[-1]
        self._on_store()

    def _on_store(self, *_: object) -> None:
        session = self.session
        editing = None if session is None else editing_of(session)
        if editing is not self._editing:
            self._listen(editing)
            self.level.reset_choices()
            self.scope.reset_choices()
            if levels := self._levels():
                self.level.value = levels[0]
        self._on_changed()

    def _let_go(self, *_: object) -> None:
        registry.signals.added.disconnect(self._list_stores)
        registry.signals.removed.disconnect(self._list_stores)
        self._connect(None)
        self.source.close()

    def _listen(self, editing: Editing | None) -> None:
        self._connect(editing)
        self.say("")
        if editing is not None:
            editing.look()

    def _connect(self, editing: Editing | None) -> None:
        for one, connects in ((self._editing, False), (editing, True)):
            if one is None:
                continue
            pairs = (
                (one.changed, self._on_changed),
                (one.progress, self._on_progress),
                (one.rehearsed, self._on_rehearsed),
                (one.written, self._on_written),
                (one.undone, self._on_undone),
                (one.redone, self._on_redone),
                (one.failed, self.say),
            )
            for signal, slot in pairs:
                if connects:
                    signal.connect(slot)
                else:
                    signal.disconnect(slot)
        self._editing = editing

    # what is done

    def request(self) -> Request:
        """What is asked for.

        Raises:
            InputError: Something is missing.
        """
        name = self.new_name.value.strip()
        if not name:
            raise InputError("give the attribute a name")
        if self.level.value is None:
            raise InputError("open a store first")
        return Request(
            name=name,
            scope=self.scope.value,
            source=self.source.source(),
            level=int(self.level.value),
            dtype=None if self.dtype.value == AS_IT_IS else self.dtype.value,
            aggregation=None if self.aggregation.value == USUAL else self.aggregation.value,
            carry=self.carry.value,
            replace=self.replace.value,
        )

    def _rehearse(self) -> None:
        if self._editing is None:
            return
        try:
            request = self.request()
        except (InputError, ZVError) as error:
            self.say(str(error))
            return
        self.say("working out what will change")
        self._editing.rehearse(request)

    def _do(self, what: str) -> None:
        if self._editing is not None:
            getattr(self._editing, what)()

    def _on_asked(self, *_: object) -> None:
        """Something else is asked for: the dry run is of no use any more."""
        if self._editing is not None and self._editing.dry_run is not None:
            self._editing.forget()
            self.say("")
        self._on_changed()

    def _on_changed(self) -> None:
        editing = self._editing
        busy = editing is not None and editing.busy
        can = editing is not None and not busy and not editing.refusal
        dry = None if editing is None else editing.dry_run
        self.rehearse.enabled = can
        self.write.enabled = can and dry is not None and not dry.conflicts
        self.cancel.enabled = busy
        self.undo.enabled = can and editing is not None and editing.undoable is not None
        self.redo.enabled = can and editing is not None and editing.redoable is not None
        for button, edit in (
            (self.undo, None if editing is None else editing.undoable),
            (self.redo, None if editing is None else editing.redoable),
        ):
            button.tooltip = "" if edit is None else as_tip(f"{edit_words(edit)}; {ORDER}")
        self.aggregation.enabled = self.carry.value and self.scope.value != "object"
        self.source.offer_names(self._names())
        if editing is not None and editing.refusal:
            self.say(editing.refusal)
        for notice in () if editing is None else editing.notices:
            self.outcome.add_text(f"note: {notice}")
        if not busy:
            self.progress.value = 0

    def _on_progress(self, share: float, text: str) -> None:
        self.progress.value = round(share * SHARES)
        self.progress.tooltip = text

    def _on_rehearsed(self, dry: DryRun) -> None:
        self.say("\n".join((*dry_run_lines(dry), "", *key_lines(dry, MOST_KEYS))))

    def _on_written(self, edit: Edit) -> None:
        self.say(f"done: {edit.words}")

    def _on_undone(self, edit: Edit) -> None:
        self.say(f"undone: {edit.words}")

    def _on_redone(self, edit: Edit) -> None:
        self.say(f"done again: {edit.words}")
