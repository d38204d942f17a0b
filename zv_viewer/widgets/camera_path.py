"""Recording a way of the camera, flying it, and making a movie of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QListWidget,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from zv_viewer.errors import InputError
from zv_viewer.session.latest import Latest
from zv_viewer.state.path import CameraPath, Keyframe, path_json, read_path_file
from zv_viewer.state.writing import text_of
from zv_viewer.views.applying import apply_window
from zv_viewer.views.capture import window_view
from zv_viewer.views.files import write_text
from zv_viewer.views.flying import MovieMaker, Player
from zv_viewer.widgets.view_panel import FileLine, said

USUAL_S = 2.0
USUAL_FPS = 25


class PathPanel(QWidget):
    """Keyframes, each some seconds after the one before; double click goes to one.

    Args:
        viewer: The napari viewer.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - see above
        super().__init__()
        self._viewer = viewer
        self._lane = Latest("zv-camera-path")
        self._player: Player | None = None
        self._maker: MovieMaker | None = None
        self.keyframes: list[Keyframe] = []
        self.list = QListWidget()
        self.list.setMaximumHeight(110)
        self.seconds = QDoubleSpinBox()
        self.seconds.setRange(0.1, 3600.0)
        self.seconds.setValue(USUAL_S)
        self.seconds.setSuffix(" s later")
        self.add, self.remove = QPushButton("Add this view"), QPushButton("Remove")
        self.play = QPushButton("Play")
        self.file = FileLine("path.json", "Ways of the camera (*.json)")
        self.save, self.open = QPushButton("Save way"), QPushButton("Open way")
        self.movie = FileLine("movie.gif, movie.mp4, or a folder", "Movies (*.gif *.mp4)")
        self.rate = QSpinBox()
        self.rate.setRange(1, 120)
        self.rate.setValue(USUAL_FPS)
        self.rate.setSuffix(" frames/s")
        self.make, self.cancel = QPushButton("Make movie"), QPushButton("Cancel")
        self.progress = QProgressBar()
        self.told = said()
        self._lay_out()
        self._connect()
        self._show()

    @property
    def path(self) -> CameraPath | None:
        """The way; None while there is no keyframe."""
        if not self.keyframes:
            return None
        first = replace(self.keyframes[0], seconds=0.0)
        return CameraPath((first, *self.keyframes[1:]))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        rows: tuple[tuple[QWidget, ...], ...] = (
            (self.list,),
            (self.add, self.seconds, self.remove),
            (self.play, QLabel(""), QLabel("")),
            (self.file, self.file.browse),
            (self.save, self.open),
            (self.movie, self.movie.browse),
            (self.make, self.rate, self.cancel),
            (self.progress,),
            (self.told,),
        )
        for line, widgets in enumerate(rows):
            wide = 6 // len(widgets)
            for place, widget in enumerate(widgets):
                is_line = len(widgets) == 2 and isinstance(widgets[0], FileLine)
                start = place * (5 if is_line else wide)
                span = (5, 1)[place] if is_line else wide
                grid.addWidget(widget, line, start, 1, span)

    def _connect(self) -> None:
        self.add.clicked.connect(self._on_add)
        self.remove.clicked.connect(self._on_remove)
        self.list.itemDoubleClicked.connect(lambda _: self._on_go())
        self.list.currentRowChanged.connect(self._on_row)
        self.seconds.valueChanged.connect(self._on_seconds)
        self.play.clicked.connect(self._on_play)
        self.save.clicked.connect(self._on_save)
        self.open.clicked.connect(self._on_open)
        self.make.clicked.connect(self._on_make)
        self.cancel.clicked.connect(self._on_cancel)
        self.file.textChanged.connect(self._enable)
        self.movie.textChanged.connect(self._enable)

    # keyframes

    def _on_add(self) -> None:
        row = self.list.currentRow() + 1 if self.keyframes else 0
        self.keyframes.insert(row, Keyframe(self.seconds.value(), window_view(self._viewer)))
        self._show(row)

    def _on_remove(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            del self.keyframes[row]
            self._show(min(row, len(self.keyframes) - 1))

    def _on_go(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            self._look(self.keyframes[row])

    def _on_row(self, row: int) -> None:
        if row > 0:
            self.seconds.blockSignals(True)
            self.seconds.setValue(self.keyframes[row].seconds)
            self.seconds.blockSignals(False)

    def _on_seconds(self, seconds: float) -> None:
        row = self.list.currentRow()
        if row > 0:
            self.keyframes[row] = replace(self.keyframes[row], seconds=seconds)
            self._show(row)

    def _look(self, frame: Keyframe) -> None:
        try:
            apply_window(self._viewer, frame.view)
        except InputError as error:
            self._tell(str(error))

    def _show(self, row: int = -1) -> None:
        path = self.path
        self.list.blockSignals(True)
        self.list.clear()
        times = [] if path is None else path.times.tolist()
        for number, (time, frame) in enumerate(zip(times, self.keyframes, strict=True), 1):
            self.list.addItem(f"{number}: at {time:g} s, {frame.view.zoom:.4g} px per unit")
        self.list.setCurrentRow(row if row >= 0 else len(self.keyframes) - 1)
        self.list.blockSignals(False)
        self._enable()

    # flying

    def _on_play(self) -> None:
        path = self.path
        if self._player is not None:
            self._player.close()
            self._on_played()
        elif path is not None:
            self._player = Player(self._viewer, path)
            self._player.ended.connect(self._on_played)
            self.play.setText("Stop")

    def _on_played(self) -> None:
        self._player = None
        self.play.setText("Play")

    # files

    def _on_save(self) -> None:
        file, path = self.file.path, self.path
        if file is not None and path is not None:
            text = text_of(path_json(path))
            saved = partial(self._tell, f"saved as {file}")
            self._lane.ask(partial(write_text, file, text), lambda _: saved(), self._on_error)

    def _on_open(self) -> None:
        file = self.file.path
        if file is not None:
            self._lane.ask(partial(read_path_file, file), self._on_read, self._on_error)

    def _on_read(self, path: CameraPath) -> None:
        self.keyframes = list(path.keyframes)
        self._tell(f"{len(self.keyframes)} keyframes, {path.seconds:g} s")
        self._show(0)

    def _on_error(self, error: Exception) -> None:
        if not isinstance(error, InputError | OSError):
            raise error
        self._tell(str(error))

    # a movie

    def _on_make(self) -> None:
        out, path, rate = self.movie.path, self.path, float(self.rate.value())
        if out is None or path is None:
            return
        try:
            self._maker = self._started(out, path, rate)
        except InputError as error:
            self._tell(str(error))
        self._enable()

    def _started(self, out: Path, path: CameraPath, rate: float) -> MovieMaker:
        maker = MovieMaker(self._viewer, path.frames(rate), out, rate)
        maker.progress.connect(self._on_progress)
        maker.done.connect(lambda name: self._on_made(f"the movie is {name}"))
        maker.failed.connect(self._on_made)
        self.progress.setValue(0)
        self._tell("")
        return maker

    def _on_progress(self, done: int, of: int) -> None:
        self.progress.setMaximum(of)
        self.progress.setValue(done)

    def _on_made(self, text: str) -> None:
        self._maker = None
        self._tell(text)
        self._enable()

    def _on_cancel(self) -> None:
        if self._maker is not None:
            self._maker.cancel()
            self._on_made("no more pictures are taken")

    def _tell(self, text: str) -> None:
        self.told.setText(text)
        self.told.setVisible(bool(text))

    def _enable(self) -> None:
        some, making = bool(self.keyframes), self._maker is not None
        for button in (self.remove, self.play):
            button.setEnabled(some and not making)
        self.save.setEnabled(some and self.file.path is not None)
        self.open.setEnabled(self.file.path is not None and not making)
        self.make.setEnabled(some and self.movie.path is not None and not making)
        self.cancel.setVisible(making)
        self.progress.setVisible(making)
