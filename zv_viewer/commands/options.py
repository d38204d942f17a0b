"""The options of ``zv-view``, and what they mean once parsed."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from zv_viewer.commands.attribute_options import add_attribute_options
from zv_viewer.commands.places import add_place_options
from zv_viewer.errors import InputError
from zv_viewer.model.settings import LodSettings, default_settings
from zv_viewer.model.view import ViewState

SAID_BY_STATE = (
    *("size", "ndisplay", "center", "zoom", "slab", "angles", "perspective", "level", "color_by"),
    *("colormap", "limits", "max_vertices", "max_bytes", "layers"),
)
"""Options of ``render`` that a view says already."""

DEFAULT_SIZE = (1024, 768)


def window_parser() -> argparse.ArgumentParser:
    """``zv-view STORE...`` and ``zv-view --sample NAME``."""
    parser = argparse.ArgumentParser(
        prog="zv-view",
        description="View a Zarr Vectors store of any size.",
        epilog="Commands: zv-view info STORE, zv-view index STORE, zv-view qa STORE, "
        "zv-view attribute STORE NAME, zv-view render STORE --out P.png, zv-view bench STORE; "
        "each has its own --help.",
    )
    parser.add_argument(
        "stores", nargs="*", metavar="store", help="paths or URLs of .zarrvectors stores"
    )
    parser.add_argument("--sample", metavar="NAME", help="a synthetic store, made on first use")
    parser.add_argument(
        "--make-only", action="store_true", help="with --sample: make it, print its path"
    )
    _state(parser)
    _layers(parser)
    add_place_options(parser)
    return parser


def command_parser() -> argparse.ArgumentParser:
    """``zv-view info | index | qa | attribute | render | bench``."""
    parser = argparse.ArgumentParser(prog="zv-view")
    commands = parser.add_subparsers(dest="command", required=True)

    info = commands.add_parser("info", help="what a store holds, from its metadata")
    info.add_argument("stores", nargs=1, metavar="store")
    info.add_argument("--json", action="store_true", help="as JSON")

    index = commands.add_parser("index", help="record what lets a store be read without listing")
    index.add_argument("stores", nargs=1, metavar="store")
    index.add_argument(
        "--check",
        "--dry-run",
        action="store_true",
        help="write nothing; exit with 1 where something would be added",
    )

    qa = commands.add_parser("qa", help="what is wrong with a pyramid; exits with 1 if anything is")
    qa.add_argument("stores", nargs=1, metavar="store")
    qa.add_argument("--html", type=Path, metavar="R.html", help="write the report as a page")
    qa.add_argument("--json", type=Path, metavar="R.json", help="write the report as JSON")
    qa.add_argument(
        "--write-errors", action="store_true", help="record the measured errors in the store"
    )

    attribute = commands.add_parser("attribute", help="write an attribute, or take one back")
    add_attribute_options(attribute)

    render = commands.add_parser("render", help="one settled picture, with or without a display")
    render.add_argument("stores", nargs="*", metavar="store")
    render.add_argument("--out", "-o", type=Path, required=True, help="the PNG or movie to write")
    _state(render)
    render.add_argument(
        "--save-state", type=Path, metavar="V.json", help="write the view that is drawn"
    )
    render.add_argument(
        "--path", type=Path, metavar="P.json", help="a way of the camera: a movie is written"
    )
    render.add_argument(
        "--fps", type=_rate, default=25.0, metavar="N", help="frames a second of the movie; 25"
    )
    render.add_argument("--size", type=_size, metavar="WxH", help="1024x768 unless given")
    render.add_argument("--ndisplay", type=int, choices=(2, 3))
    render.add_argument(
        "--center", type=float, nargs="+", metavar="X", help="store axes, world units"
    )
    render.add_argument("--zoom", type=float, help="pixels per world unit")
    render.add_argument(
        "--slab", type=float, metavar="W", help="thickness shown of the axes not displayed"
    )
    render.add_argument("--angles", type=float, nargs=3, metavar="DEG", help="as napari's camera")
    render.add_argument("--perspective", type=float, default=0.0, metavar="FOV")
    render.add_argument("--level", type=_level, default=None, metavar="auto|N")
    render.add_argument("--color-by", metavar="ATTR")
    render.add_argument("--colormap", metavar="NAME")
    render.add_argument("--limits", type=float, nargs=2, metavar=("LO", "HI"))
    render.add_argument("--timeout", type=float, default=600.0, metavar="S")
    _budget(render)
    _layers(render)

    bench = commands.add_parser("bench", help="fly a path in a real window and measure")
    bench.add_argument("stores", nargs="+", metavar="store")
    bench.add_argument("--path", type=Path, metavar="FLIGHT.json", help="the flight to fly")
    bench.add_argument("--record", type=Path, metavar="FLIGHT.json", help="write the views flown")
    bench.add_argument("--size", type=_size, default=(800, 600), metavar="WxH")
    bench.add_argument("--color-by", metavar="ATTR")
    _budget(bench)
    _layers(bench)
    for command in (info, index, qa, attribute, render, bench):
        add_place_options(command)
    return parser


def _budget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--max-vertices", type=_positive, metavar="N", help="vertices drawn at most"
    )
    parser.add_argument(
        "--max-bytes", type=_bytes, metavar="N", help="memory for cells, e.g. 128MB"
    )
    parser.add_argument("--stats", type=Path, metavar="S.json", help="write the figures")


def _state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        metavar="V.json",
        help="a view that was saved; stores given are opened in place of those it names",
    )
    parser.add_argument(
        "--force", action="store_true", help="with --state: though its stores have changed since"
    )


def check_alone(args: argparse.Namespace) -> None:
    """Raise :class:`InputError` where ``--state`` goes with what it says already, or with none."""
    if args.state is None:
        if args.force:
            raise InputError("--force goes with --state")
        if not args.stores:
            raise InputError("give a store, or a view with --state")
        return
    said = {name: getattr(args, name) for name in SAID_BY_STATE}
    given = [name for name, value in said.items() if value not in (None, "auto", 0.0)]
    if given:
        raise InputError(f"--state says what is drawn: leave --{given[0].replace('_', '-')} away")


def _layers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--layers",
        choices=("auto", "fast", "standard"),
        default="auto",
        help="fast layers, napari's standard ones, or fast where this napari allows it",
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size like 1024x768")
    return int(width), int(height)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of frames a second")
    return rate


def _level(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither 'auto' nor a level number")
    return int(text)


def _positive(text: str) -> int:
    digits = text.replace("_", "")
    if not digits.isdigit() or int(digits) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(digits)


def _bytes(text: str) -> int:
    units = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
    upper = text.strip().upper()
    unit = max((unit for unit in units if upper.endswith(unit)), key=len, default="")
    try:
        value = int(float(upper.removesuffix(unit)) * units.get(unit, 1))
    except (ValueError, OverflowError):
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes like 128MB")
    return value


def view_of(args: argparse.Namespace, home: ViewState) -> ViewState:
    """The view asked for, from a home view and the options that differ from it."""
    ndim = len(home.center)
    if args.center is not None and len(args.center) != ndim:
        raise InputError(f"--center takes {ndim} numbers for this store, not {len(args.center)}")
    if args.ndisplay == 3 and ndim < 3:
        raise InputError("--ndisplay 3 needs a store with three axes; this one has two")
    if args.zoom is not None and args.zoom <= 0:
        raise InputError("--zoom is a positive number of pixels per world unit")
    if args.slab is not None and args.slab <= 0:
        raise InputError("--slab is a positive thickness in world units")
    return ViewState(
        ndisplay=args.ndisplay or home.ndisplay,
        center=home.center if args.center is None else tuple(args.center),
        zoom=home.zoom if args.zoom is None else args.zoom,
        angles=home.angles if args.angles is None else tuple(args.angles),
        perspective=args.perspective,
    )


def settings_of(args: argparse.Namespace, *, steady: bool = False) -> LodSettings:
    """The machine's default settings with the caps asked for.

    ``steady``: without hysteresis, so that what is drawn does not depend on what was before.
    """
    settings = default_settings()
    if steady:
        settings = replace(settings, hysteresis=0.0)
    budget = settings.budget
    return replace(
        settings,
        budget=replace(
            budget,
            vertices=args.max_vertices or budget.vertices,
            bytes=args.max_bytes or budget.bytes,
        ),
    )
