"""What a verification found: one row for each check, and the error that a failed check raises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.errors import VerificationError

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One place where a value was compared, in words: names and what they are."""

    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One row: ``error`` is the largest deviation that was seen, ``tolerance`` what is allowed."""

    name: str
    what: str
    error: float
    tolerance: float
    passed: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that does not apply to the program, and why."""

    name: str
    reason: str


@dataclass(frozen=True, repr=False)
class Verification:
    """The outcome of ``Program.verify``; every check in it passed, or ``VerificationError`` was raised.

    Attributes
    ----------
    program
        Name of the model, dtype and backend.
    instances
        The sizes of each small instance and its number of joint states; lattices have one with odd and one with even
        axes, and the rows of ``checks`` then begin with the number of theirs.
    seed
        Where parameters, inputs and random numbers came from.
    checks
        One row for each check.
    skipped
        What does not apply to this program, with the reason.
    """

    program: str
    instances: tuple[str, ...]
    seed: int
    checks: tuple[Check, ...]
    skipped: tuple[Skipped, ...] = ()

    def __repr__(self) -> str:
        return f"<Verification of {self.program}: {len(self.checks)} checks passed, {len(self.skipped)} do not apply>"

    def __getitem__(self, name: str) -> tuple[Check, ...]:
        """The checks of that name."""
        return tuple(check for check in self.checks if check.name == name)

    def __str__(self) -> str:
        rows = [("check", "what", "error", "tolerance", "")] + [_cells(check) for check in self.checks]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows]
        left_out = [f"not applicable: {skipped.name}: {skipped.reason}" for skipped in self.skipped]
        return "\n".join([self._headline(), *self._small(), "", *lines, *left_out])

    def _small(self) -> list[str]:
        """The small instances, numbered if there are several."""
        numbers = [f" {k + 1}" for k in range(len(self.instances))] if len(self.instances) > 1 else [""]
        return [f"small instance{k}: {text}" for k, text in zip(numbers, self.instances, strict=False)]

    def _headline(self) -> str:
        return f"verified {self.program}: {len(self.checks)} checks passed (seed {self.seed})"

    def _repr_html_(self) -> str:
        cell = 'style="text-align: left; padding: 3px 16px 3px 0; vertical-align: top"'
        head = "".join(f"<th {cell}>{name}</th>" for name in ("check", "what", "error", "tolerance", ""))
        body = "\n".join(
            "<tr>" + "".join(f"<td {cell}>{escape(text)}</td>" for text in _cells(check)) + "</tr>"
            for check in self.checks
        )
        left_out = "".join(
            f"<tr><td {cell}>{escape(s.name)}</td><td {cell} colspan='4'>not applicable: {escape(s.reason)}</td></tr>"
            for s in self.skipped
        )
        small = "".join(f"<br>{escape(line)}" for line in self._small())
        return (
            f"<p><strong>{escape(self._headline())}</strong>{small}</p>\n"
            f'<table style="border-collapse: collapse">\n<tr>{head}</tr>\n{body}\n{left_out}\n</table>'
        )


def _cells(check: Check) -> tuple[str, str, str, str, str]:
    return check.name, check.what, f"{check.error:.1e}", f"{check.tolerance:.0e}", check.note


@dataclass
class Ledger:
    """Collects checks, and raises at the first that fails."""

    program: str
    seed: int
    instances: list[str] = field(default_factory=list)
    prefix: str = ""
    checks: list[Check] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def begin(self, instance: str, *, several: bool) -> None:
        """What the checks that follow are about; if there are several small instances, rows are numbered by them."""
        self.instances.append(instance)
        self.prefix = f"{len(self.instances)}. " if several else ""

    def skip(self, name: str, reason: str) -> None:
        """Note that a check does not apply."""
        self.skipped.append(Skipped(name, self.prefix + reason))

    def record(self, check: Check, case: Callable[[], Case]) -> None:
        """Keep a check that passed; VerificationError with the case if it did not."""
        own = replace(check, what=self.prefix + check.what)
        if not own.passed:
            raise self._failure(own, case())
        self.checks.append(own)

    def compare(
        self,
        name: str,
        what: str,
        got: Array | float,
        expected: Array | float,
        tolerance: float,
        *,
        case: Callable[[tuple[int, ...]], Case],
        scale: Array | float = 1.0,
        rank: Array | None = None,
        note: str = "",
    ) -> None:
        """Compare arrays of one shape; VerificationError if |got - expected| / scale exceeds the tolerance.

        ``case`` says in words where an element is. ``rank`` is how small each case is, broadcast against the values:
        the smallest failing one is shown. A value that is not a number deviates infinitely.
        """
        wide = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            deviation = np.abs(wide[0] - wide[1]) / scale
        deviation = np.where(np.isnan(deviation), np.inf, deviation)
        error = float(deviation.max(initial=0.0))

        def smallest() -> Case:
            place = _smallest(deviation > tolerance, rank)
            values = ("expected", str(wide[1][place])), ("got", str(wide[0][place]))
            return Case((*case(place).facts, *values))

        self.record(Check(name, what, error, tolerance, error <= tolerance, note), smallest)

    def _failure(self, check: Check, case: Case) -> VerificationError:
        """The error of a failed check, with its smallest failing case."""
        facts = [
            ("error", f"{check.error:.3g}, tolerance {check.tolerance:.0e}"),
            *case.facts,
            ("instance", f"{self.instances[-1]} (seed {self.seed})"),
            ("passed", ", ".join(dict.fromkeys(c.name for c in self.checks)) or "nothing before this"),
        ]
        width = max(len(head) for head, _ in facts)
        lines = [f"  {head:<{width}}  {text}" for head, text in facts]
        return VerificationError(
            f"{self.program}: {check.name}: {check.what} does not agree with brute force.\n" + "\n".join(lines) + "\n"
            "The program computes something else than the model says: do not use it, and please report this."
        )

    def verification(self) -> Verification:
        """The report."""
        small = tuple(self.instances[:-1])
        return Verification(self.program, small, self.seed, tuple(self.checks), tuple(self.skipped))


def _smallest(failing: Array, rank: Array | None) -> tuple[int, ...]:
    """The place of the failing element of the lowest rank, the first of them."""
    sizes = np.broadcast_to(np.asarray(0 if rank is None else rank), failing.shape)
    first = int(np.argmin(np.where(failing, sizes, np.iinfo(np.int64).max)))
    return tuple(int(k) for k in np.unravel_index(first, failing.shape))
