"""Deliberate faults in named values, their derivatives, and the bound through draws made of noise."""

from __future__ import annotations

from mutant import Mutant

ADJOINTS = ("tests/derivation/test_adjoints.py",)
BOUND = ("tests/learning/test_elbo.py", "-k", "mean_over_the_noise or free_of_bias")
NETS = ("tests/program/test_nested_nets.py",)

NAMES = (
    Mutant(
        "a slope goes back through one element of a named value only",
        "derivation/adjoints.py",
        "(*own, *part.over))",
        "part.over)",
        ADJOINTS,
    ),
    Mutant(
        "the slope of what all examples share is averaged twice",
        "derivation/adjoints.py",
        "(each if adjoint.per_example else shared).extend(found)",
        "each.extend(found)",
        ADJOINTS,
    ),
    Mutant(
        "clamped children are thought to have no parents behind names",
        "runtime/chains.py",
        "expand_factors(model.factors, model.definitions)",
        "model.factors",
        NETS,
    ),
    Mutant(
        "the divergence leaves out how far the means are apart",
        "derivation/reparametrise.py",
        "add(power(self.scale, Fraction(2)), apart)",
        "power(self.scale, Fraction(2))",
        BOUND,
    ),
    Mutant(
        "divergences are in closed form though what follows has a say",
        "derivation/reparametrise.py",
        "and not after.get(name, frozenset()) & set(parents(whole))",
        "",
        BOUND,
    ),
    Mutant(
        "weights of draws are not normalised over the draws of a row",
        "learning/elbo.py",
        "shares / shares.sum(axis=1, keepdims=True)",
        "shares / shares.sum()",
        ("tests/learning/test_elbo.py", "-k", "weighted"),
    ),
)
