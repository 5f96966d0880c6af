"""The law of a unit given all others, as the user holds it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgmc.compiler import Compiler
from pgmc.errors import IntractableError
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.nodes import Scalar
from pgmc.ir.queries import Conditional as ConditionalQuery
from pgmc.ir.queries import Ensemble
from pgmc.ir.symbols import is_per_example
from pgmc.runtime.executable import Executable
from pgmc.runtime.groups import exclusive_probabilities
from pgmc.runtime.state import encode_state

if TYPE_CHECKING:
    from pgmc.inspection.derivation_steps import Derivation

Array = npt.NDArray[Any]


class Conditional:
    """The law of each unit of a variable given all other units."""

    def __init__(self, compiler: Compiler, executable: Executable, name: str, without: tuple[str, ...] = ()) -> None:
        self._compiler = compiler
        self._executable = executable
        self.name = name
        self.without = without

    @cached_property
    def law(self) -> ConditionalLaw:
        """The derivation's answer.

        Raises
        ------
        IntractableError
            If what is left out cannot be integrated out.
        """
        law = self._compiler.marginal_law(self.name, self.without)
        if isinstance(law, Refusal):
            raise IntractableError(f"{self._compiler.model.name}: {law}")
        return law

    @property
    def family(self) -> str:
        """The family: "Bernoulli" (also of a spin, whose "on" is +1), "Categorical", "Exclusive", "Normal",
        "Poisson" or "Multinomial"."""
        return {"Spin": "Bernoulli", "JointNormal": "Normal"}.get(self.law.family, self.law.family)

    @property
    def parameters(self) -> dict[str, Scalar]:
        """Parameters as expressions: ``{"logits": ...}``, or ``{"mean": ..., "precision": ...}``."""
        return dict(self.law.parameters)

    def evaluate(
        self,
        params: Mapping[str, npt.ArrayLike],
        state: Mapping[str, npt.ArrayLike],
        threads: int | None = None,
    ) -> dict[str, Array]:
        """Natural and mean parameters of every unit.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter, of the declared shape.
        state : mapping of str to array
            ``(n, *shape)`` of at least the variables and inputs that the conditional depends on.

        Returns
        -------
        dict of str to ndarray
            Of discrete units ``"logits"`` and ``"probs"``: the probability of 1 (binary) or +1 (spin), ``(n, *shape)``,
            or of each state, ``(n, *shape, states)``; in an exclusive block, log p(this unit on) / p(all off) and
            p(this unit on), given the other blocks. Of real units ``"mean"`` and ``"precision"``, the inverse of the
            variance, ``(n, *shape)``; where they interact, of all of them jointly: ``"mean"``, ``"covariance"``
            and its inverse ``"precision"``, ``(n, units, units)`` with the units in C order. Of counts
            ``"log_rate"`` and ``"mean"``; with a total ``"logits"``, ``"probs"`` along the last axis, ``"total"`` and
            ``"mean"``.

        Raises
        ------
        DataError
            If an array is missing, or of a wrong shape or range.
        NumericsError
            If a precision is not positive.
        """
        model, dtype = self._compiler.model, self._compiler.dtype
        given = tuple(s.name for s in model.symbols if is_per_example(s) and s.name in state)
        encoded = encode_state(model, state, given, dtype)
        checked = self._compiler.encode_params(params)
        query = ConditionalQuery(self.name, without=self.without)
        found = self._executable.evaluate(query, checked, encoded, threads=threads)
        if self.law.others:
            return _joint_moments(found["field"], found["precision"])
        if self.family == "Exclusive":
            found["probs"] = exclusive_probabilities(found["logits"], model.variable(self.name))
        elif self.family == "Poisson":
            found["mean"] = np.exp(found["log_rate"])
        elif self.family == "Multinomial":
            found["probs"] = probabilities(found["logits"], "Categorical")
            found["mean"] = found["total"] * found["probs"]
        elif "logits" in found:
            found["probs"] = probabilities(found["logits"], self.family)
        return found

    def explain(self) -> Derivation:
        """The steps from the energy to this law: the terms that hold the unit, its local energy, and the family."""
        from pgmc.inspection.derivation_steps import explain_conditional

        return explain_conditional(self._compiler.ensemble(Ensemble.PLAIN), self.law)

    def latex(self) -> str:
        """The conditional in LaTeX, without delimiters."""
        from pgmc.inspection.latex import latex_conditional

        return latex_conditional(self.law)

    def sympy(self) -> Any:
        """The logit, or the mean of a real unit, as a sympy expression."""
        from pgmc.inspection.sympy_form import to_sympy

        return to_sympy(self.law.expressions[0])

    def __str__(self) -> str:
        return str(self.law)

    def __repr__(self) -> str:
        return f"<Conditional {self.law}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def _repr_html_(self) -> str:
        from pgmc.inspection.markup import mathematics

        return mathematics(self.latex(), str(self))


def probabilities(logits: Array, family: str) -> Array:
    """Mean parameters from natural ones, without overflow."""
    if family == "Categorical":
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, small) / (1.0 + small), dtype=logits.dtype)


def _joint_moments(field: Array, precision: Array) -> dict[str, Array]:
    """The mean and the covariance of the density exp(field · x - ½ x · precision · x)."""
    rows, size = len(field), field[0].size
    matrix = precision.reshape(rows, size, size).astype(np.float64)
    mean = np.linalg.solve(matrix, field.reshape(rows, size, 1).astype(np.float64)).reshape(field.shape)
    moments = {"mean": mean, "covariance": np.linalg.inv(matrix), "precision": matrix}
    return {name: value.astype(field.dtype) for name, value in moments.items()}
