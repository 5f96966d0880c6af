# %% [markdown]
# # How to add a family
#
# The law of a unit given all others is found from its local energy: the terms that hold the unit, as a function of it.
# A family is a function that takes the local energy apart. It answers with a `ConditionalLaw`, or with a `Refusal` that
# says why the family does not fit; then the next one is tried. It never asks what the model is.
#
# The skeleton below is the inverse gamma family of positive units, p(x) ∝ x^(-shape - 1) exp(-scale / x), whose local
# energy is scale / x + (shape + 1) log x. `Unit()` stands for the unit; coefficients are expressions.

# %% The skeleton, to copy
from fractions import Fraction

from pgmc.derivation.local_energy import LocalEnergy, wrong_domain
from pgmc.derivation.polynomials import polynomial_of, sum_of_polynomials
from pgmc.derivation.tidy import add, negate
from pgmc.ir.answers import ConditionalLaw, Refusal
from pgmc.ir.nodes import ONE, ZERO, Call, Pow, Scalar, Unit
from pgmc.ir.printer import print_scalar
from pgmc.ir.rewrite import replace
from pgmc.ir.symbols import Positive

RECIPROCAL, LOGARITHM = Pow(Unit(), Fraction(-1)), Call("log", Unit())


def match_inverse_gamma(local: LocalEnergy) -> ConditionalLaw | Refusal:
    """p(x | rest) = InverseGamma(shape, scale) where the local energy is scale / x + (shape + 1) log x."""
    if not isinstance(local.target.domain, Positive):
        return wrong_domain("Inverse gamma", local, "positive")
    slopes = {}
    for kept, other in ((RECIPROCAL, LOGARITHM), (LOGARITHM, RECIPROCAL)):
        terms = [polynomial_of(as_unit(term, kept, other)) for term in local.terms]
        if any(term is None or len(term) > 2 for term in terms):
            wanted = f"Inverse gamma conditional of {local.target.name}"
            energy = print_scalar(add(*local.terms))
            return Refusal(wanted, f"{energy} is not linear in 1/x and log x.")
        coefficients = sum_of_polynomials([term for term in terms if term is not None])
        slopes[kept] = coefficients[1] if len(coefficients) == 2 else ZERO
    parameters = (("shape", add(slopes[LOGARITHM], negate(ONE))), ("scale", slopes[RECIPROCAL]))
    reason = "a positive unit: the local energy is linear in its reciprocal and in its logarithm"
    return ConditionalLaw(local.target, local.indices, None, "InverseGamma", parameters, (reason,))


def as_unit(term: Scalar, kept: Scalar, other: Scalar) -> Scalar:
    """The term as a function of 1/x or of log x, which becomes the unit, without the other one."""
    without = replace(term, lambda node: ZERO if node == other else None)
    found = replace(without, lambda node: Call("log", ZERO) if node == kept else None)
    if any_unit(found):
        return Call("exp", Unit())  # what depends on x in another way is no polynomial
    return replace(found, lambda node: Unit() if node == Call("log", ZERO) else None)


def any_unit(node: Scalar) -> bool:
    """Whether the unit is left in an expression."""
    return replace(node, lambda inner: ONE if isinstance(inner, Unit) else None) != node


# %% What it makes of a model
import pgmc
from pgmc.derivation.local_energy import build_local_energy

m = pgmc.Model("variances")
x, h = m.positive("x", 3), m.binary("h", 2)
a, W = m.param("a", 3, positive=True), m.param("W", (3, 2), positive=True)
m.energy((a / x).sum() + (1 / x) @ W @ h + 3.5 * pgmc.log(x).sum())

model = m.build()
law = match_inverse_gamma(build_local_energy(model, model.variable("x")))
for name, parameter in law.parameters:
    print(f"{name}: {print_scalar(parameter)}")
print(match_inverse_gamma(build_local_energy(model, model.variable("h"))))

# %% [markdown]
# ## What a test of it says
#
# The logarithm of the density and minus the energy rise by the same amount from one value of the unit to another, at
# random parameters and states.

# %% Ratios of densities against differences of energies
import numpy as np
from scipy.stats import invgamma

from pgmc.ir.interpret import interpret_energy, interpret_law

rng = np.random.default_rng(0)
params = {"a": np.exp(rng.normal(size=3)), "W": np.exp(rng.normal(size=(3, 2)))}
first, second = ({"x": np.exp(rng.normal(size=(5, 3))), "h": rng.integers(2, size=(5, 2))} for _ in range(2))
second = {**first, "x": np.where(np.arange(3) == 1, second["x"], first["x"])}  # another value of one unit

found = interpret_law(law, {**params, **first})
shape, scale = (np.broadcast_to(found[name], (5, 3))[:, 1] for name in ("shape", "scale"))
rise = [invgamma.logpdf(state["x"][:, 1], shape, scale=scale) for state in (first, second)]
energies = [interpret_energy(model, params, state) for state in (first, second)]
np.testing.assert_allclose(rise[1] - rise[0], energies[0] - energies[1], rtol=1e-10)
print("the law is right")

# %% [markdown]
# ## Where a family lives
#
# | file | what to add |
# | --- | --- |
# | `pgmc/derivation/families.py` | the function, in the tuple `FAMILIES`, before those that would take its units |
# | `pgmc/ir/answers.py` | the name in `Family`, and what its parameters mean |
# | `pgmc/ir/printer.py` | the name in `DENSITIES`, if the law is printed as a density |
# | `pgmc/runtime/interpreted.py` | the draw of the NumPy reference, from counted random numbers |
# | `pgmc/codegen/prelude_continuous.py` | the same draw as a helper `draw_inversegamma` of generated kernels |
# | `pgmc/derivation/free_energy.py` | the integral over the unit, if it has a closed form |
# | `tests/derivation`, `tests/runtime`, `tests/support` | ratios as above, draws against the density, a model |
#
# `Program.verify` then proves every model in which the family turns up: it compares the two draws bit by bit and
# conditionals with differences of energies.
