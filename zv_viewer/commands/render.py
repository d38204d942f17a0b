"""``zv-view render``: a settled picture, or a movie, of what is asked for or of a saved view."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zv_viewer.commands.figures import figures, write_figures
from zv_viewer.commands.options import DEFAULT_SIZE, check_alone, settings_of, view_of
from zv_viewer.errors import InputError
from zv_viewer.session.checks import check_attribute, check_level
from zv_viewer.stage import Stage, a_stage, ensure_writable

if TYPE_CHECKING:
    from zv_viewer.state import ViewFile
    from zv_viewer.state.path import CameraPath

UNREADABLE = 2


def render(args: argparse.Namespace) -> int:
    """Draw the view asked for, wait until it is settled, write the picture and what it shows."""
    check_alone(args)
    for path in (args.out, args.stats, args.save_state):
        if path is not None:
            ensure_writable(path)
    way = _way(args)
    if args.state is None:
        with a_stage(args.size or DEFAULT_SIZE, settings_of(args), args.layers) as stage:
            _show_asked(stage, args)
            return _finish(stage, args) if way is None else _film(stage, args, way)

    from zv_viewer.views.files import read_with_places

    view = read_with_places(args.state)
    with a_stage(view.canvas.size, settings_of(args, steady=True)) as stage:
        notes = stage.show(view, args.stores, force=args.force)
        if way is not None:
            return _film(stage, args, way, notes)
        _settle(stage, args)
        stage.draw_anew()
        return _finish(stage, args, view, notes)


def _way(args: argparse.Namespace) -> CameraPath | None:
    """The way of the camera to film; None where one picture is asked for."""
    if args.path is None:
        return None
    if args.save_state is not None:
        raise InputError("--save-state goes with one picture, not with --path")
    from zv_viewer.state.path import read_path_file
    from zv_viewer.views.movie import movie_file

    movie_file(args.out, args.fps)  # says at once that it cannot be written
    return read_path_file(args.path)


def _show_asked(stage: Stage, args: argparse.Namespace) -> None:
    """Show what the options say."""
    stage.open(args.stores)
    session = stage.session
    for one in stage.sessions:
        one.first_colours()
    if args.color_by is not None:
        check_attribute(session.scene, args.color_by)
        limits = None if args.limits is None else tuple(args.limits)
        session.color_by(args.color_by, colormap=args.colormap, limits=limits)
    if args.level is not None:
        check_level(session.scene, args.level)
        session.update_settings(level_lock=args.level)
    stage.go(view_of(args, stage.home()))
    if args.slab is not None:
        stage.thicken(args.slab)
    stage.fit()


def _film(
    stage: Stage, args: argparse.Namespace, way: CameraPath, notes: tuple[str, ...] = ()
) -> int:
    """Fly along a way and write a picture of every frame; the exit code."""
    from zv_viewer.views.applying import apply_window
    from zv_viewer.views.movie import movie_file

    views = way.frames(args.fps)
    with movie_file(args.out, args.fps) as movie:
        for view in views:
            apply_window(stage.viewer, view)
            _settle(stage, args)
            stage.draw_anew()
            _settle(stage, args)
            movie.add(stage.viewer.screenshot(canvas_only=True, flash=False))
    return _tell(stage, args, notes)


def _settle(stage: Stage, args: argparse.Namespace) -> None:
    if not stage.settle(args.timeout):
        raise InputError(
            f"the view did not settle within {args.timeout:g} s: {stage.session.stats().reason}"
        )


def _finish(
    stage: Stage,
    args: argparse.Namespace,
    view: ViewFile | None = None,
    notes: tuple[str, ...] = (),
) -> int:
    """Settle, write the picture and what is asked for beside it; the exit code."""
    _settle(stage, args)
    stage.viewer.screenshot(str(args.out), canvas_only=True, flash=False)
    other = _write_manifest(stage, args, view, notes)
    return _tell(stage, args, (*notes, *other))


def _tell(stage: Stage, args: argparse.Namespace, notes: tuple[str, ...]) -> int:
    """Write the figures, say what is to be said; the exit code."""
    if args.stats is not None:
        write_figures(args.stats, figures(stage))
    problems = list(dict.fromkeys(stage.problems))
    for sentence in (*notes, *problems):
        print(f"zv-view: {sentence}", file=sys.stderr)
    return UNREADABLE if problems else 0


def _write_manifest(
    stage: Stage, args: argparse.Namespace, view: ViewFile | None, notes: tuple[str, ...]
) -> tuple[str, ...]:
    """Write what the picture shows beside it; says so where it is another than the one before."""
    from zv_viewer.session.paint import renderer_of
    from zv_viewer.state import digest_of, document_of, text_of
    from zv_viewer.state.manifest import PictureFile, manifest, parse_manifest, why_other
    from zv_viewer.views.capture import capture
    from zv_viewer.views.files import fingerprints, write_text, write_view
    from zv_viewer.views.picture import drawn_by, drawn_store

    prints = fingerprints(stage.sessions)
    shown = capture(stage.viewer, prints)
    if args.save_state is not None:
        write_view(shown, args.save_state)
    out: Path = args.out
    sha256 = hashlib.sha256(out.read_bytes()).hexdigest()
    made = manifest(
        PictureFile(out.name, sha256, stage.size),
        digest_of(document_of(view or shown)),
        drawn_by(renderer_of(stage.viewer)),
        [drawn_store(one, prints[one]) for one in stage.sessions if one.layer.visible],
        notes,
    )
    beside = out.with_name(f"{out.name}.json")
    before = parse_manifest(beside.read_text(encoding="utf-8")) if beside.is_file() else None
    why = why_other(before, made)
    write_text(beside, text_of(made))
    return (f"{out} is not as the picture of this view that was there: {why}",) if why else ()
