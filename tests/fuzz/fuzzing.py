"""Checks a specification, and shrinks the one that fails."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pgmc
from checks import CHECKS
from generation import random_specification
from language import Specification
from mixed import MixedCase
from mixed_checks import MIXED_CHECKS
from shrinking import shrink
from spelling import code
from trial import Backend, Case, Dtype, Finding


@dataclass(frozen=True)
class Failure:
    """A check that failed on a case, and how."""

    case: Case
    check: str
    what: str
    kind: str = "value"

    def __str__(self) -> str:
        case = self.case
        text = code(case.spec, "array" if case.seed % 2 else "index")
        origin = f"seed {case.seed}, backend {case.backend}, {case.dtype}"
        return f"{self.check}: {self.what}\n({origin})\n\n{text}"


def random_case(seed: int, backend: Backend = "text", dtype: Dtype = "float64") -> Case:
    """The specification of a seed, compiled."""
    spec = random_specification(seed)
    return (Case if spec.discrete else MixedCase)(spec, seed, backend, dtype)


def failure(case: Case, checks: Iterable[str] = tuple(CHECKS)) -> Failure | None:
    """The first check that fails, if there is one. An exception is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        known = MIXED_CHECKS if isinstance(case, MixedCase) else CHECKS
        for name in (name for name in checks if name in known):
            try:
                for finding in known[name](case):
                    if not finding.error <= finding.tolerance:
                        return Failure(case, name, _told(finding))
            except Exception as error:  # what a model makes pgmc raise is what the report is about
                return Failure(case, name, f"{type(error).__name__}: {error}", type(error).__name__)
    return None


def _told(finding: Finding) -> str:
    if not finding.tolerance:
        return finding.what
    return f"{finding.what}: off by {finding.error:.3g}, tolerance {finding.tolerance:.1g}"


def shrunk(found: Failure, tries: int = 500) -> Failure:
    """The failure on the smallest model that fails in the same check in the same way."""
    smallest = [found]

    def fails(spec: Specification) -> bool:
        again = failure(replace(found.case, spec=spec), [found.check])
        if again is None or again.kind != found.kind:
            return False
        smallest[0] = again
        return True

    shrink(found.case.spec, fails, tries)
    return smallest[0]
