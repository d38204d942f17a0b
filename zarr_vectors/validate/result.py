"""What a validation found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from zarr_vectors.exceptions import ZVError
from zarr_vectors.typing import ChunkCoords

MOST_PER_ARRAY = 200
"""Findings of one level and array that are told one by one; the others are counted."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        level: Which check found it, 1 to 5.
        severity: ``error``, or ``warning`` for what can be read all the same.
        text: A sentence.
        array: Logical path of the array, such as ``0/vertices``; None for the store as a whole.
        chunk: The chunk, where it is one chunk's.
        defect: Name of a known habit of another writer, else None.
    """

    level: int
    severity: Severity
    text: str
    array: str | None = None
    chunk: ChunkCoords | None = None
    defect: str | None = None


@dataclass(eq=False, slots=True)
class ValidationResult:
    """What a validation checked and what it found.

    Attributes:
        level: The deepest check asked for, 1 to 5.
        url: The store.
        passed: Checks that found nothing wrong, a few words each.
        findings: All errors and warnings, in the order found.
    """

    level: int
    url: str = ""
    passed: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there are no errors; warnings do not count."""
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def errors(self) -> list[str]:
        """A sentence per error."""
        return [finding.text for finding in self.findings if finding.severity == "error"]

    @property
    def warnings(self) -> list[str]:
        """A sentence per warning."""
        return [finding.text for finding in self.findings if finding.severity == "warning"]

    @property
    def defects(self) -> list[str]:
        """Names of the known habits of other writers that were met, sorted."""
        return sorted({f.defect for f in self.findings if f.defect is not None})

    def summary(self) -> str:
        """The result in words: a head line, then a line per finding."""
        errors, warnings = len(self.errors), len(self.warnings)
        word = "sound" if self.ok else "damaged"
        lines = [
            f"{self.url or 'the store'} is {word} as far as level {self.level} looks: "
            f"{len(self.passed)} checks passed, {errors} errors, {warnings} warnings"
        ]
        lines += [
            f"  {f.severity} (level {f.level}{f', {f.defect}' if f.defect else ''}): {f.text}"
            for f in self.findings
        ]
        return "\n".join(lines)


class Report:
    """Collects findings of one level of checks.

    Args:
        result: Where to.
        level: Which checks, 1 to 5.
    """

    def __init__(self, result: ValidationResult, level: int) -> None:
        self.result = result
        self.level = level
        self._told: Counter[tuple[str | None, str]] = Counter()

    def error(self, text: str, array: str | None = None, chunk: ChunkCoords | None = None) -> None:
        """Tell of something that is wrong."""
        self._add("error", text, array, chunk, None)

    def warn(
        self,
        text: str,
        array: str | None = None,
        chunk: ChunkCoords | None = None,
        defect: str | None = None,
    ) -> None:
        """Tell of something that is odd and does no harm, or of a known habit of other writers."""
        self._add("warning", text, array, chunk, defect)

    @contextmanager
    def catching(self, array: str | None = None) -> Iterator[None]:
        """Turn an error raised inside the block into a finding."""
        try:
            yield
        except ZVError as error:
            named, chunk = getattr(error, "array", None), getattr(error, "chunk", None)
            self.error(str(error), named or array, chunk)

    @contextmanager
    def check(self, words: str) -> Iterator[None]:
        """A check: passed where the block finds no error."""
        before = self._errors()
        yield
        if self._errors() == before:
            self.result.passed.append(words)

    def close(self) -> None:
        """Count what was not told one by one."""
        for (array, severity), count in self._told.items():
            if count > MOST_PER_ARRAY:
                rest = count - MOST_PER_ARRAY
                text = f"{rest} more such findings in {array or 'the store'}"
                kind: Severity = "error" if severity == "error" else "warning"
                self.result.findings.append(Finding(self.level, kind, text, array))

    def _errors(self) -> int:
        return sum(n for (_, severity), n in self._told.items() if severity == "error")

    def _add(
        self,
        severity: Severity,
        text: str,
        array: str | None,
        chunk: ChunkCoords | None,
        defect: str | None,
    ) -> None:
        self._told[array, severity] += 1
        if self._told[array, severity] <= MOST_PER_ARRAY:
            self.result.findings.append(Finding(self.level, severity, text, array, chunk, defect))
