"""Findings about objects: left out, not nested, described otherwise. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import rankdata

from zarr_vectors.typing import FloatArray, IntArray
from zv_viewer.qa.evidence import ObjectFacts
from zv_viewer.qa.report import Finding, Survival, Where

_SIGMAS = 4.2
"""Standard deviations of the sum of ranks beyond which a loss is not by chance."""
_LONGER = 0.8
"""Share of the pairs of an object left out and one kept of which the first is the longer one."""
_CLASSES = 5
"""Classes of length that survival is told by."""


def object_findings(level: int, facts: ObjectFacts, fix: str) -> Iterator[Finding]:
    """Findings about the objects of a level."""
    if level == 0:
        return
    yield from _dropped(level, facts, fix)
    strange = np.setdiff1d(facts.here, facts.before)
    for oid in strange.tolist():
        text = f"object {oid} is at level {level} and not at level {facts.parent} it was made from"
        yield Finding("non_nested_ids", level, Where(object=oid), text, fix)
    for name in facts.missing:
        text = f"level {level} lacks the object attribute {name!r}, which level 0 has"
        yield Finding("missing_attribute", level, Where(attribute=name), text, fix)
    for name, ids in facts.wrong.items():
        text = (
            f"object attribute {name!r} of {len(ids):,} objects at level {level} is not that of "
            f"level 0, of object {int(ids[0])} first"
        )
        yield Finding(
            "wrong_attribute", level, Where(object=int(ids[0]), attribute=name), text, fix
        )


def _dropped(level: int, facts: ObjectFacts, fix: str) -> Iterator[Finding]:
    gone = np.setdiff1d(facts.before, facts.here)
    allowed = len(facts.before) - max(1, round(len(facts.before) * facts.sparsity))
    if not len(gone):
        return
    sizes = _sizes(facts, gone)
    order = np.argsort(-np.nan_to_num(sizes), kind="stable")
    if len(gone) > allowed:
        for i in order[: len(gone) - allowed].tolist():
            text = (
                f"object {int(gone[i])}{_long(sizes[i])} is left out at level {level}, which says "
                f"that it keeps {facts.sparsity:.3g} of the objects of level {facts.parent}"
            )
            yield Finding("dropped_object", level, Where(object=int(gone[i])), text, fix)
        return
    if _long_go_first(facts, gone):
        for i in order[: max(1, len(gone) // 4)].tolist():
            text = (
                f"object {int(gone[i])}{_long(sizes[i])} is left out at level {level} with nearly "
                "all objects as long, while short ones stay"
            )
            yield Finding("dropped_object", level, Where(object=int(gone[i])), text, fix)


def _long_go_first(facts: ObjectFacts, gone: IntArray) -> bool:
    """Whether objects left out are longer than those kept, far beyond chance.

    Told by ranks of all objects, or by the longest tenth of many.
    """
    sizes = _sizes(facts, facts.before)
    known = np.flatnonzero(np.isfinite(sizes))
    lost = np.isin(facts.before[known], gone)
    many, few = len(known), int(lost.sum())
    if not few or few == many:
        return False
    ranks = rankdata(sizes[known])
    above = float(ranks[lost].sum()) - few * (few + 1) / 2
    spread = math.sqrt(few * (many - few) * (many + 1) / 12)
    share = above / (few * (many - few))
    if share > _LONGER and above - few * (many - few) / 2 > _SIGMAS * spread:
        return True
    longest = np.argsort(-sizes[known], kind="stable")[: many // 10]
    return len(longest) >= 30 and lost[longest].mean() > 0.9 and few / many < 0.6


def _sizes(facts: ObjectFacts, ids: IntArray) -> FloatArray:
    rank = np.searchsorted(facts.finest, ids)
    known = rank < len(facts.finest)
    known[known] = facts.finest[rank[known]] == ids[known]
    found = np.full(len(ids), np.nan)
    found[known] = facts.lengths[rank[known]]
    return found


def _long(size: float) -> str:
    return f", {size:.4g} world units long," if np.isfinite(size) else ""


def survival(facts: ObjectFacts) -> tuple[Survival, ...]:
    """Objects of level 0 and of a level, by classes of length with as many each, and by group."""
    kept = np.isin(facts.finest, facts.here)
    known = np.flatnonzero(np.isfinite(facts.lengths))
    found = []
    if len(known):
        order = known[np.argsort(facts.lengths[known], kind="stable")]
        for part in np.array_split(order, min(_CLASSES, len(order))):
            low, high = facts.lengths[part[0]], facts.lengths[part[-1]]
            label = f"{low:.4g} to {high:.4g}"
            found.append(Survival("length", label, len(part), int(kept[part].sum())))
    there = set(facts.here.tolist())
    for number, group in enumerate(facts.groups):
        ids = np.intersect1d(group, facts.finest).tolist()
        found.append(
            Survival("group", f"group {number}", len(ids), sum(oid in there for oid in ids))
        )
    return tuple(found)
