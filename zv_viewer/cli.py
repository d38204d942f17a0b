"""``zv-view``: parse, then call one command; what a command needs is imported when it runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from zarr_vectors.exceptions import ZVError
from zv_viewer.commands.options import command_parser, window_parser
from zv_viewer.commands.places import asked_so
from zv_viewer.errors import InputError

BAD_INPUT = 2
COMMANDS = ("info", "index", "qa", "attribute", "render", "bench")


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``zv-view``; returns the exit code: a command's, or 2 with a sentence about bad input."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words and words[0] in COMMANDS:
            args = command_parser().parse_args(words)
            with asked_so(args):
                return _run(args)
        args = window_parser().parse_args(words)
        with asked_so(args):
            return _window(args)
    except (ZVError, InputError) as error:
        print(f"zv-view: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("zv-view: stopped", file=sys.stderr)
        return 130


def _run(args: argparse.Namespace) -> int:
    if args.command == "info":
        from zv_viewer.commands.info import info

        return info(args.stores[0], as_json=args.json)
    if args.command == "index":
        from zv_viewer.commands.index import index

        return index(args.stores[0], check=args.check)
    if args.command == "qa":
        _need("scipy", "qa")
        from zv_viewer.commands.qa import qa

        return qa(args)
    if args.command == "attribute":
        _need("platformdirs", "attribute")
        from zv_viewer.commands.attribute import attribute

        return attribute(args)
    if args.command == "render":
        _need_viewer("render")
        from zv_viewer.commands.render import render

        return render(args)
    _need_viewer("bench")
    from zv_viewer.commands.bench import bench

    return bench(args)


def _window(args: argparse.Namespace) -> int:
    stores = list(args.stores)
    if args.force and args.state is None:
        raise InputError("--force goes with --state")
    if not stores and args.sample is None and args.state is None:
        window_parser().error("give a store, or --sample NAME")
    _need_viewer("the window")
    if args.sample:
        from zv_viewer.samples import sample_store

        path = str(sample_store(args.sample, progress=lambda text: print(text, file=sys.stderr)))
        stores.append(path)
        if args.make_only:
            print(path)
            return 0
    from zv_viewer.app import run

    return run(stores, args.layers, args.state, force=args.force)


def _need_viewer(what: str) -> None:
    _need("napari", what)


def _need(module: str, what: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise InputError(f"{what} needs the viewer: pip install 'zv-viewer[viewer]'")


if __name__ == "__main__":
    sys.exit(main())
