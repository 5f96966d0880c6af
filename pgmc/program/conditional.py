"""The law of a unit given all others, as the user holds it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pgmc.compiler import Compiler
from pgmc.ir.answers import ConditionalLaw
from pgmc.ir.nodes import Scalar
from pgmc.ir.queries import Conditional as ConditionalQuery
from pgmc.ir.queries import Ensemble
from pgmc.ir.symbols import Categorical, is_per_example
from pgmc.runtime.executable import Executable
from pgmc.runtime.groups import exclusive_probabilities
from pgmc.runtime.state import encode_params, encode_state

if TYPE_CHECKING:
    from pgmc.inspection.derivation_steps import ConditionalDerivation

Array = npt.NDArray[Any]


class Conditional:
    """The law of each unit of a variable given all other units."""

    def __init__(self, compiler: Compiler, executable: Executable, name: str) -> None:
        self._compiler = compiler
        self._executable = executable
        self.name = name

    @cached_property
    def law(self) -> ConditionalLaw:
        """The derivation's answer."""
        return self._compiler.law(self.name)

    @property
    def family(self) -> str:
        """The family: "Bernoulli" (also of a spin, whose "on" is +1), "Categorical" or "Exclusive" (one of a block)."""
        variable = self._compiler.model.variable(self.name)
        if variable.exclusive:
            return "Exclusive"
        return "Categorical" if isinstance(variable.domain, Categorical) else "Bernoulli"

    @property
    def parameters(self) -> dict[str, Scalar]:
        """Natural parameters as expressions: ``{"logits": ...}``."""
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
            ``"logits"`` and ``"probs"``: the probability of 1 (binary) or +1 (spin), ``(n, *shape)``, or of each state,
            ``(n, *shape, states)``. In an exclusive block, log p(this unit on) / p(all off), and p(this unit on), given
            the other blocks.

        Raises
        ------
        DataError
            If an array is missing, or of a wrong shape or range.
        """
        model, dtype = self._compiler.model, self._compiler.dtype
        given = tuple(s.name for s in model.symbols if is_per_example(s) and s.name in state)
        encoded = encode_state(model, state, given, dtype)
        checked = encode_params(model, params, dtype)
        query = ConditionalQuery(self.name)
        logits = self._executable.evaluate(query, checked, encoded, threads=threads)["logits"]
        if self.family == "Exclusive":
            return {"logits": logits, "probs": exclusive_probabilities(logits, model.variable(self.name))}
        return {"logits": logits, "probs": _probabilities(logits, self.family)}

    def explain(self) -> ConditionalDerivation:
        """The steps from the energy to this law: the terms that hold the unit, its local energy, and the family."""
        from pgmc.inspection.derivation_steps import explain_conditional

        return explain_conditional(self._compiler.ensemble(Ensemble.PLAIN), self.law)

    def latex(self) -> str:
        """The conditional in LaTeX, without delimiters."""
        from pgmc.inspection.latex import latex_conditional

        return latex_conditional(self.law)

    def sympy(self) -> Any:
        """The logit as a sympy expression."""
        from pgmc.inspection.sympy_form import to_sympy

        return to_sympy(self.law.logits)

    def __str__(self) -> str:
        return str(self.law)

    def __repr__(self) -> str:
        return f"<Conditional {self.law}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def _probabilities(logits: Array, family: str) -> Array:
    """Mean parameters from natural ones, without overflow."""
    if family == "Categorical":
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))
    small = np.exp(-np.abs(logits))
    return np.asarray(np.where(logits >= 0, 1.0, small) / (1.0 + small), dtype=logits.dtype)
