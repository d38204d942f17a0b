"""What a store's metadata says of it, in a few digests: enough to tell that it is another one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LevelPrint:
    """A level: which chunks it has, and how many vertices each; None where nobody recorded it."""

    level: int
    chunks: str
    counts: str | None


@dataclass(frozen=True, slots=True)
class AttributePrint:
    """An attribute of vertices: its form (type, columns, categories, unit, levels), its limits."""

    name: str
    form: str
    limits: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Of a store; a copy of it elsewhere has the same, but for ``written``.

    Args:
        geometry: Kind, axes, bounds, type of positions, format.
        objects: Which objects there are.
        levels: Finest first.
        attributes: By name.
        written: When or as what the metadata was written, as its place tells; None where that
            tells neither.
    """

    geometry: str
    objects: str
    levels: tuple[LevelPrint, ...]
    attributes: tuple[AttributePrint, ...]
    written: str | None = None


def changes(before: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """What has changed, a few words each; nothing where the store is as it was.

    What only one of them knows, such as counts that were recorded later, is no change.
    """
    found = []
    if before.geometry != now.geometry:
        found.append("its geometry is another one (kind, axes, bounds, type or format)")
    if before.objects != now.objects:
        found.append("it has other objects")
    return (*found, *_levels(before, now), *_attributes(before, now))


def rewritten(before: Fingerprint, now: Fingerprint) -> bool:
    """Whether a store at the same place was written to, whatever its metadata says."""
    known = before.written is not None and now.written is not None
    return known and before.written != now.written


def _levels(before: Fingerprint, now: Fingerprint) -> list[str]:
    old = {one.level: one for one in before.levels}
    new = {one.level: one for one in now.levels}
    found = [f"level {number} is gone" for number in sorted(old.keys() - new.keys())]
    found += [f"level {number} is new" for number in sorted(new.keys() - old.keys())]
    for number in sorted(old.keys() & new.keys()):
        was, here = old[number], new[number]
        if was.chunks != here.chunks:
            found.append(f"level {number} has other chunks")
        elif None not in (was.counts, here.counts) and was.counts != here.counts:
            found.append(f"level {number} has other vertices")
    return found


def _attributes(before: Fingerprint, now: Fingerprint) -> list[str]:
    old = {one.name: one for one in before.attributes}
    new = {one.name: one for one in now.attributes}
    found = [f"the attribute {name!r} is gone" for name in sorted(old.keys() - new.keys())]
    found += [f"the attribute {name!r} is new" for name in sorted(new.keys() - old.keys())]
    for name in sorted(old.keys() & new.keys()):
        was, here = old[name], new[name]
        if was.form != here.form:
            found.append(f"the attribute {name!r} is of another form")
        elif None not in (was.limits, here.limits) and was.limits != here.limits:
            found.append(f"the attribute {name!r} has other values")
    return found
