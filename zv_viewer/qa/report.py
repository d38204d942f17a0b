"""A report on a pyramid: measures of every level, findings, and both as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal

Kind = Literal[
    "hole",
    "duplicate",
    "shifted_level",
    "density_bias",
    "dropped_object",
    "broken_seam",
    "wrong_attribute",
    "missing_attribute",
    "non_nested_ids",
    "disconnected",
    "degenerate_face",
    "useless_level",
    "damaged_chunk",
    "viewing",
]
Severity = Literal["error", "warning", "info"]

SEVERITY: Final[dict[Kind, Severity]] = {
    "hole": "error",
    "duplicate": "error",
    "shifted_level": "error",
    "density_bias": "error",
    "dropped_object": "error",
    "broken_seam": "error",
    "wrong_attribute": "error",
    "missing_attribute": "warning",
    "non_nested_ids": "warning",
    "disconnected": "error",
    "degenerate_face": "error",
    "useless_level": "warning",
    "damaged_chunk": "error",
    "viewing": "info",
}
"""How much each kind of finding matters; an error is an alarm."""


Png = bytes
"""A PNG file."""


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a finding; a whole level where nothing is named.

    Attributes:
        chunk: Chunk coordinates of the finding's level.
        object: Object id.
        attribute: Name of the attribute.
        position: (D,) a point to look at, store axes, world units.
    """

    chunk: tuple[int, ...] | None = None
    object: int | None = None
    attribute: str | None = None
    position: tuple[float, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """What is named, as JSON values."""
        named = {name: value for name, value in asdict(self).items() if value is not None}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in named.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Where:
        """The place that :meth:`to_json` wrote."""
        chunk, position = data.get("chunk"), data.get("position")
        return cls(
            None if chunk is None else tuple(chunk),
            data.get("object"),
            data.get("attribute"),
            None if position is None else tuple(position),
        )

    def __str__(self) -> str:
        words = []
        if self.chunk is not None:
            words.append("chunk " + ".".join(map(str, self.chunk)))
        if self.object is not None:
            words.append(f"object {self.object}")
        if self.attribute is not None:
            words.append(f"attribute {self.attribute}")
        return ", ".join(words)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth a thought.

    Attributes:
        kind: What it is.
        level: Number of the level it is at.
        where: The place.
        message: One sentence: what was expected and what is there.
        fix: What to do, and the command that does it.
    """

    kind: Kind
    level: int
    where: Where
    message: str
    fix: str

    @property
    def severity(self) -> Severity:
        """``error``, ``warning`` or ``info``, by the kind."""
        return SEVERITY[self.kind]

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "kind": self.kind,
            "level": self.level,
            "where": self.where.to_json(),
            "severity": self.severity,
            "message": self.message,
            "fix": self.fix,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """The finding that :meth:`to_json` wrote."""
        where = Where.from_json(data["where"])
        return cls(data["kind"], data["level"], where, data["message"], data["fix"])


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances of sampled vertices to the nearest vertex of another level, world units.

    Attributes:
        p50: Median.
        p95: 95 % are at most this far.
        max: Largest of the sample.
        sample: Vertices measured.
        of: Vertices there are; all were measured where the two are equal.
        p50_interval: (low, high) the median of all vertices lies between, with 95 % confidence.
        p95_interval: Likewise of ``p95``.
    """

    p50: float
    p95: float
    max: float
    sample: int
    of: int
    p50_interval: tuple[float, float]
    p95_interval: tuple[float, float]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Distances:
        """The distances that ``dataclasses.asdict`` wrote."""
        pairs = {name: tuple(data[name]) for name in ("p50_interval", "p95_interval")}
        return cls(**{**data, **pairs})


@dataclass(frozen=True, slots=True)
class AttributeDrift:
    """How an attribute of a level differs from level 0.

    Attributes:
        name: The attribute.
        scope: ``vertex``, ``object`` or ``link``.
        mean: (level 0, level); None of categories.
        p5: Likewise, the value that 5 % are below.
        p50: Likewise.
        p95: Likewise.
        mix: Total variation between the shares of categories, 0 to 1; None of numbers.
        outside: Share of the level's values that no value of level 0 in the same place explains.
    """

    name: str
    scope: Literal["vertex", "object", "link"]
    mean: tuple[float, float] | None
    p5: tuple[float, float] | None
    p50: tuple[float, float] | None
    p95: tuple[float, float] | None
    mix: float | None
    outside: float | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AttributeDrift:
        """The drift that ``dataclasses.asdict`` wrote."""
        pairs = ("mean", "p5", "p50", "p95")
        own: dict[str, Any] = {**data}
        own |= {name: None if data[name] is None else tuple(data[name]) for name in pairs}
        return cls(**own)


@dataclass(frozen=True, slots=True)
class Survival:
    """How many objects of a class a level keeps.

    Attributes:
        by: ``length`` or ``group``.
        label: The class, such as ``12 to 40`` world units or ``group 3``.
        before: Objects of the class at level 0.
        kept: Of these, objects with vertices at the level.
    """

    by: Literal["length", "group"]
    label: str
    before: int
    kept: int


@dataclass(frozen=True, slots=True)
class CellMeasures:
    """What was measured in one chunk of a level; None where there was nothing to measure.

    Attributes:
        chunk: Chunk coordinates.
        low: (D,) lower corner, world units.
        high: (D,) upper corner.
        vertices: Vertices of the level in it.
        error_p50: Median distance of level-0 vertices in its box to the level.
        error_p95: Likewise.
        error_max: Likewise.
        back_p95: 95 % of its vertices are at most this far from level 0.
        occupancy_iou: Overlap of the bins that level 0 and the level occupy in it, 0 to 1.
        holes: Bins that level 0 occupies and the level does not.
        duplicates: Vertices that are there already.
        density: Vertices there are over vertices expected; 1 where the density is right.
    """

    chunk: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    vertices: int
    error_p50: float | None = None
    error_p95: float | None = None
    error_max: float | None = None
    back_p95: float | None = None
    occupancy_iou: float | None = None
    holes: int = 0
    duplicates: int = 0
    density: float | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CellMeasures:
        """The measures that ``dataclasses.asdict`` wrote."""
        corners = {name: tuple(data[name]) for name in ("chunk", "low", "high")}
        return cls(**{**data, **corners})


@dataclass(frozen=True, slots=True)
class LevelMeasures:
    """What was measured of one level; None where there was nothing to measure.

    Attributes:
        level: Its number.
        vertices: Vertices read.
        bytes: Bytes of its arrays as stored.
        to_level: From sampled vertices of level 0, of objects the level keeps, to the level.
        to_finest: From sampled vertices of the level to level 0.
        shape_to_level: From the same vertices of level 0 to the edges or faces of the level, or
            its vertices where these are nearer.
        shape_to_finest: From places on edges or faces of the level to those of level 0.
        occupancy_iou: Bins that level 0 and the level both occupy over bins that one of them does.
        hole_rate: Share of the bins level 0 occupies that the level does not.
        density_bias: How unevenly the level thins level 0, 0 where evenly: see docs/quality.md.
        objects_kept: Share of the objects of level 0 that have vertices at the level.
        duplicates: Vertices that are there already.
        links_lost: Edges or faces that level 0 has and the level, where both ends stand, lacks.
        degenerate_faces: Faces without an area.
        attributes: Drift of every attribute.
        survival: Objects kept, by length and by group.
        cells: Measures of every occupied chunk.
        picture: What it looks like, as a PNG file; not among the JSON values.
    """

    level: int
    vertices: int
    bytes: int | None
    to_level: Distances | None = None
    to_finest: Distances | None = None
    shape_to_level: Distances | None = None
    shape_to_finest: Distances | None = None
    occupancy_iou: float | None = None
    hole_rate: float | None = None
    density_bias: float | None = None
    objects_kept: float | None = None
    duplicates: int = 0
    links_lost: int | None = None
    degenerate_faces: int | None = None
    attributes: tuple[AttributeDrift, ...] = ()
    survival: tuple[Survival, ...] = ()
    cells: tuple[CellMeasures, ...] = ()
    picture: Png | None = field(default=None, repr=False)

    @property
    def error_p50(self) -> float | None:
        """Median distance of level 0 to the level, world units."""
        return None if self.to_level is None else self.to_level.p50

    @property
    def error_p95(self) -> float | None:
        """95 % of level 0 are at most this far from the level."""
        return None if self.to_level is None else self.to_level.p95

    @property
    def error_max(self) -> float | None:
        """Largest distance measured of level 0 to the level."""
        return None if self.to_level is None else self.to_level.max

    @property
    def shape_p95(self) -> float | None:
        """95 % of level 0 are at most this far from the edges or faces of the level."""
        return None if self.shape_to_level is None else self.shape_to_level.p95

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        names = "error_p50", "error_p95", "error_max", "shape_p95"
        errors = {name: getattr(self, name) for name in names}
        own = asdict(replace(self, picture=None))
        del own["picture"]
        return {**own, **errors}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LevelMeasures:
        """The measures that :meth:`to_json` wrote."""
        own: dict[str, Any] = {f.name: data.get(f.name) for f in fields(cls)}
        for name in ("to_level", "to_finest", "shape_to_level", "shape_to_finest"):
            own[name] = None if own[name] is None else Distances.from_json(own[name])
        own["attributes"] = tuple(map(AttributeDrift.from_json, own["attributes"]))
        own["survival"] = tuple(Survival(**entry) for entry in own["survival"])
        own["cells"] = tuple(map(CellMeasures.from_json, own["cells"]))
        return cls(**own)


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured of a store and found in it.

    Attributes:
        store: Its address.
        format_version: Of its layout on disk.
        geometry: Such as ``point_cloud``.
        levels: Every level, finest first.
        findings: Errors first, then warnings, then the rest; by level.
        complete: False where the work was cancelled before its end.
        seconds: How long it took.
    """

    store: str
    format_version: str
    geometry: str
    levels: tuple[LevelMeasures, ...]
    findings: tuple[Finding, ...]
    complete: bool = True
    seconds: float = 0.0

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that are errors."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def to_json(self) -> dict[str, Any]:
        """As JSON values, for ``json.dumps``."""
        return {
            "store": self.store,
            "format_version": self.format_version,
            "geometry": self.geometry,
            "complete": self.complete,
            "seconds": self.seconds,
            "levels": [level.to_json() for level in self.levels],
            "findings": [finding.to_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The report that :meth:`to_json` wrote."""
        return cls(
            data["store"],
            data["format_version"],
            data["geometry"],
            tuple(map(LevelMeasures.from_json, data["levels"])),
            tuple(map(Finding.from_json, data["findings"])),
            data["complete"],
            data["seconds"],
        )
