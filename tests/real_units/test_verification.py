"""Programs with real units prove themselves, and faults in their laws are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import pgmc
from generated import compile_sweeps_alone
from pgmc.derivation import conditionals
from pgmc.derivation.tidy import multiply
from pgmc.ir.nodes import number
from pgmc.runtime import interpreted
from real_models import MODELS, chain, visible_and_hidden


@pytest.mark.parametrize("make", MODELS)
def test_programs_prove_themselves(make: Callable[[], pgmc.Model]) -> None:
    report = pgmc.compile(make(), dtype="float64", backend="numpy").verify()
    wanted = {"energies", "conditionals", "sweep, draw by draw", "sweep, statistically", "quadrature", "real size"}
    assert wanted <= {check.name for check in report.checks}
    assert max(check.error for check in report.checks if check.name == "conditionals") < 1e-12


def test_generated_kernels_prove_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_sweeps_alone(monkeypatch)
    assert pgmc.compile(visible_and_hidden()).verify().checks


def test_a_wrong_deviation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    normals = interpreted.unit_normals
    monkeypatch.setattr(interpreted, "unit_normals", lambda *where: 1.01 * normals(*where))
    with pytest.raises(pgmc.VerificationError, match="draw by draw"):
        pgmc.compile(chain(), dtype="float64", backend="numpy").verify()


@pytest.mark.parametrize("name", ["mean", "precision"])
def test_a_wrong_parameter_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match = conditionals.FAMILIES[-1]

    def wrong(local: Any) -> Any:
        law = match(local)
        if not hasattr(law, "parameters"):
            return law
        parts = tuple((key, multiply(number(1 + (key == name)), value)) for key, value in law.parameters)
        return type(law)(law.target, law.indices, law.state, law.family, parts, law.reasons)

    monkeypatch.setattr(conditionals, "FAMILIES", (*conditionals.FAMILIES[:-1], wrong))
    with pytest.raises(pgmc.VerificationError, match=f"{name} of v, given all others"):
        pgmc.compile(visible_and_hidden(), dtype="float64", backend="numpy").verify()
