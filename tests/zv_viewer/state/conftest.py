"""A view with something in every field."""

from __future__ import annotations

import math

import pytest

from zv_viewer.model.fingerprint import AttributePrint, Fingerprint, LevelPrint
from zv_viewer.objects import (
    AttributeRange,
    CategorySet,
    GroupSet,
    IdSet,
    RandomShare,
    TextSearch,
)
from zv_viewer.objects.filters import LengthRange
from zv_viewer.rows import CategoryIs, InBall, InBox, InOutline, RandomRows, ValueRange
from zv_viewer.state import ViewFile
from zv_viewer.state.document import (
    CanvasState,
    CapsState,
    ColoursState,
    GroupColour,
    LayerState,
    LodState,
    LookState,
    ObjectColoursState,
    ObjectsState,
    PlaneState,
    SizesState,
    WindowView,
)

INFINITY = math.inf


@pytest.fixture
def whole_view() -> ViewFile:
    printed = Fingerprint(
        "0a",
        "0b",
        (LevelPrint(0, "1a", "1b"), LevelPrint(3, "1c", None)),
        (AttributePrint("age", "2a", (0.0, 99.0)), AttributePrint("ünï", "2b", None)),
        "yesterday",
    )
    rows = (
        ValueRange("age", 20.0, include=False),
        CategoryIs("kind", frozenset({2, 0})),
        InBox((-INFINITY, 0.0, 1.0), (5.0, INFINITY, 2.0)),
        InBall((1.0, math.nan, 3.0), 4.5),
        InOutline(tuple(float(x) for x in range(16)), (1, 2), ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0))),
        RandomRows(0.25, 7),
    )
    objects = (
        AttributeRange("size", high=3.0),
        LengthRange(2.0),
        CategorySet("part", frozenset({"axon", "soma"})),
        GroupSet(frozenset({1})),
        TextSearch("left", include=False),
        IdSet(frozenset({5, -(2**63), 2**63 - 1})),
        RandomShare(0.5, 3),
    )
    layer = LayerState(
        url="s3://bucket/cells.zarrvectors",
        fingerprint=printed,
        name="cells",
        kind="auto",
        visible=True,
        opacity=0.5,
        blending="translucent",
        place=(
            (2.0, 0.0, 0.0, 1.0),
            (0.0, 2.0, 0.0, 1.0),
            (0.0, 0.0, 2.0, 1.0),
            (0.0, 0.0, 0.0, 1.0),
        ),
        colours=ColoursState("age", "magma", (-1.5, 2.5), (1.0, 1.0, 1.0)),
        object_colours=ObjectColoursState("(id)", None, None),
        look=LookState(3.0, (0.5, 1.0, 8.0), (1.0, 4.0), True, False, 2.0, True),
        sizes=SizesState("vertex", "age", None, (1.0, 8.0)),
        planes=(PlaneState((0.0, 1.0, 2.0), (1.0, 0.0, 0.0), False),),
        filters=rows,
        objects=ObjectsState(
            "left",
            objects,
            hidden=((3, 9), (11, 11)),
            isolated=None,
            selected=((-(2**63), 2**63 - 1),),
            groups_off=(-1, 2),
            ghost=True,
            group_colours=(GroupColour(1, (255, 0, 128)),),
        ),
        shapes_hidden=(0, 4),
        lod=LodState(1.5, 1.0, 2, 3.0),
    )
    return ViewFile(
        CanvasState((640, 480), (0.1, 0.2, 0.3), scale_bar=True, axes=False),
        WindowView(
            3,
            (1.0, 2.0, 3.0, 4.0),
            2.5,
            (0.0, 12.5, 90.0),
            45.0,
            (0, 3, 2, 1),
            (1.0, 0.0, 0.0, 0.0),
            (1.5, 0.0, 0.0, 0.0),
            ("towards", "down", "right"),
        ),
        CapsState(2_000_000, 1 << 30, 1 << 29, automatic=False),
        (layer,),
    )
