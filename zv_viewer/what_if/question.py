"""What another pyramid is to be, and the call that builds it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from zv_viewer.errors import InputError

STRATEGIES = ("random", "spatial_coverage", "length")
"""Ways to choose the objects that stay; ``attribute:<name>`` is another."""

SEED = 0
"""What chooses by chance chooses the same again."""


@dataclass(frozen=True, slots=True)
class Question:
    """A pyramid to try.

    Args:
        factors: (coarsening, sparsity) of each level above the finest: how much larger its bins
            are than those of the level before, how many times fewer objects it keeps.
        chunk_factors: How much larger its chunks are than those of the level before; None: the
            builder chooses.
        strategy: Which objects stay, as ``build_pyramid`` takes it.
    """

    factors: tuple[tuple[float, float], ...]
    chunk_factors: tuple[int, ...] | None = None
    strategy: str = "random"

    def __post_init__(self) -> None:
        if not self.factors:
            raise InputError("a pyramid has a level at least: name a factor for each")
        if self.chunk_factors is not None and len(self.chunk_factors) != len(self.factors):
            raise InputError(
                f"there are {len(self.factors)} levels and {len(self.chunk_factors)} chunk factors"
            )

    def arguments(self) -> dict[str, object]:
        """Keyword arguments of ``build_pyramid``."""
        found: dict[str, object] = {"factors": list(self.factors)}
        if self.chunk_factors is not None:
            found["chunk_scale_factors"] = list(self.chunk_factors)
        if self.strategy != STRATEGIES[0]:
            found["sparsity_strategy"] = self.strategy
        elif any(sparsity > 1 for _, sparsity in self.factors):
            found["sparsity_seed"] = SEED
        return found


def parse_steps(coarsening: str, sparsity: str, chunks: str, strategy: str = "random") -> Question:
    """A question out of what somebody typed: numbers with spaces or commas between.

    Args:
        coarsening: One number for each level.
        sparsity: Likewise, or one for all, or none: 1.
        chunks: Likewise; none: the builder chooses.
        strategy: As in :class:`Question`.

    Raises:
        InputError: These are no such numbers.
    """
    steps = _numbers("coarsening", coarsening)
    if not steps:
        raise InputError("name how much coarser each level is than the one before, such as 2 2 2")
    thinning = _numbers("sparsity", sparsity) or [1.0]
    if len(thinning) == 1:
        thinning *= len(steps)
    if len(thinning) != len(steps):
        raise InputError(f"there are {len(steps)} levels and {len(thinning)} numbers of sparsity")
    if min(steps) < 1 or min(thinning) < 1:
        raise InputError("no level is finer, or has more objects, than the one before: 1 at least")
    growth = _numbers("chunk factors", chunks)
    if any(number != round(number) or number < 1 for number in growth):
        raise InputError("chunks grow by whole numbers, 1 at least")
    if len(growth) == 1:
        growth *= len(steps)
    whole = tuple(int(number) for number in growth) or None
    return Question(tuple(zip(steps, thinning, strict=True)), whole, strategy)


def python_call(path: str, question: Question, levels: tuple[int, ...] = (0,)) -> str:
    """Python that builds the pyramid of a whole store, in place of levels it has.

    Args:
        path: The store.
        question: The pyramid.
        levels: Numbers of the levels it has now.
    """
    given = ", ".join(f"{name}={value!r}" for name, value in question.arguments().items())
    call = f"build_pyramid({path!r}, {given})"
    lines = ["from zarr_vectors import build_pyramid"]
    old = sorted((number for number in levels if number > 0), reverse=True)
    if old:
        lines += [
            "from zarr_vectors.core.store import open_store, remove_resolution_level",
            f"store = open_store({path!r}, mode='r+')",
            *[f"remove_resolution_level(store, {number})" for number in old],
        ]
    return "\n".join([*lines, call])


def command(path: str, question: Question, levels: tuple[int, ...] = (0,)) -> str:
    """The same for a terminal."""
    return f"python -c {shlex.quote('; '.join(python_call(path, question, levels).splitlines()))}"


def _numbers(name: str, text: str) -> list[float]:
    words = text.replace(",", " ").split()
    try:
        found = [float(word) for word in words]
    except ValueError:
        raise InputError(f"{name}: {text!r} is no list of numbers") from None
    if any(not 0 < number < float("inf") for number in found):
        raise InputError(f"{name}: numbers are positive and finite")
    return found
