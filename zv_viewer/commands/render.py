"""``zv-view render``: one settled picture."""

from __future__ import annotations

import argparse
import sys

from zv_viewer.commands.figures import figures, write_figures
from zv_viewer.commands.options import settings_of, view_of
from zv_viewer.errors import InputError
from zv_viewer.session.checks import check_attribute, check_level
from zv_viewer.stage import a_stage, ensure_writable

UNREADABLE = 2


def render(args: argparse.Namespace) -> int:
    """Draw the view asked for, wait until it is settled, write the picture."""
    for path in (args.out, args.stats):
        if path is not None:
            ensure_writable(path)
    with a_stage(args.size, settings_of(args), args.layers) as stage:
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
        if not stage.settle(args.timeout):
            raise InputError(
                f"the view did not settle within {args.timeout:g} s: {session.stats().reason}"
            )
        stage.viewer.screenshot(str(args.out), canvas_only=True, flash=False)
        if args.stats is not None:
            write_figures(args.stats, figures(stage))
        problems = list(dict.fromkeys(stage.problems))
    for problem in problems:
        print(f"zv-view: {problem}", file=sys.stderr)
    return UNREADABLE if problems else 0
