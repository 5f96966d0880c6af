"""Hamiltonian Monte Carlo of real and positive units: the potential that they move in, and its slope.

The potential is the energy, or the free energy where other units are summed or integrated out. Positive units move on
the scale of their logarithm t = log x, whose density has the factor x: the potential is F - Σ log x, and its slope
x ∂F/∂x - 1.
"""

from __future__ import annotations

from dataclasses import replace

from pgmc.derivation.scores import derive_score
from pgmc.derivation.tidy import add, multiply, negate, summed
from pgmc.errors import DerivationError
from pgmc.ir.answers import Quantity, Refusal, Trajectory
from pgmc.ir.nodes import ONE, Access, Call, Scalar, at, fresh_index
from pgmc.ir.symbols import Positive, Variable, axis_name


def derive_trajectory(
    energy: Quantity, variables: tuple[Variable, ...], summed_out: tuple[str, ...], masked: tuple[str, ...]
) -> Trajectory:
    """A move of all units of some variables by leapfrog steps.

    Raises
    ------
    DerivationError
        If the energy has a function without a derivative in these units.
    """
    logarithms = [_log_unit(variable) for variable in variables if isinstance(variable.domain, Positive)]
    potential = Quantity("potential", (), add(energy.body, *map(negate, logarithms)))
    score = derive_score(energy, variables)
    if isinstance(score, Refusal):
        raise DerivationError(str(score), (score,))
    slopes = tuple(map(_along_coordinate, score.quantities, variables))
    kept = tuple(variable.name for variable in variables if variable.name in masked)
    return Trajectory(variables, potential, slopes, kept, summed_out)


def _along_coordinate(slope: Quantity, variable: Variable) -> Quantity:
    """The slope in every unit, or in its logarithm."""
    if not isinstance(variable.domain, Positive):
        return slope
    unit = Access(variable, tuple(map(at, slope.indices)))
    return replace(slope, body=add(multiply(unit, slope.body), negate(ONE)))


def _log_unit(variable: Variable) -> Scalar:
    letters = "ijklmnopq"[: len(variable.axes)]
    indices = tuple(fresh_index(letter, axis_name(variable, k)) for k, letter in enumerate(letters))
    return summed(Call("log", Access(variable, tuple(map(at, indices)))), indices)
