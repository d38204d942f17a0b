"""The options of ``zv-view attribute``."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_attribute_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("stores", nargs=1, metavar="store")
    parser.add_argument("name", nargs="?", help="of the attribute")
    parser.add_argument("--expression", "-e", metavar="E", help="such as 'sqrt(x**2 + y**2)'")
    parser.add_argument("--file", type=Path, metavar="F", help="CSV, Parquet or NumPy")
    parser.add_argument("--column", metavar="C", help="of the file")
    parser.add_argument("--ids", metavar="C", help="column of object ids; else rows are in order")
    parser.add_argument(
        "--lax", action="store_true", help="with --ids: what does not match has no value"
    )
    parser.add_argument("--scope", choices=("vertex", "node", "face", "object"), default="vertex")
    parser.add_argument("--level", type=int, default=0, metavar="N")
    parser.add_argument("--dtype", metavar="T", help="stored dtype; that of the values by default")
    parser.add_argument("--aggregation", choices=("mean", "mode", "min", "max", "first"))
    parser.add_argument("--alone", action="store_true", help="leave coarser levels as they are")
    parser.add_argument("--replace", action="store_true", help="replace one of that name")
    parser.add_argument("--dry-run", action="store_true", help="tell every key; write nothing")
    back = parser.add_mutually_exclusive_group()
    back.add_argument("--undo", action="store_true", help="take the last one back")
    back.add_argument("--redo", action="store_true", help="do what was taken back again")
