"""What is asked of a program, to be compared with an equation of the chapter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np

import pgmc
from pgmc.inspection.equations import collect_equations
from pgmc.ir.queries import Energy
from pgmc.runtime.state import encode_state

Array: TypeAlias = Any
Arrays: TypeAlias = Mapping[str, Array]


@dataclass(frozen=True)
class Question:
    """A derived quantity.

    ``shows`` gives what was derived, to print and to typeset. ``evaluates`` gives its values for a batch of states, and
    what the formula of the chapter is to be evaluated at: the states, or means that were computed from them.
    """

    shows: Callable[[pgmc.Program], Any]
    evaluates: Callable[[pgmc.Program, Arrays, Arrays], tuple[Array, Arrays]]


def named(name: str) -> Callable[[pgmc.Program], Any]:
    """The equation of that name."""
    return lambda program: program.equations()[name]


def energy() -> Question:
    """E of a state."""
    return Question(named("energy"), lambda p, t, x: (p.energy(t, x), x))


def conditional(name: str, parameter: str, without: tuple[str, ...] = ()) -> Question:
    """A parameter of the law of each unit given all others."""
    return Question(
        lambda p: p.conditional(name, without=without),
        lambda p, t, x: (p.conditional(name, without=without).evaluate(t, x)[parameter], x),
    )


def factor(name: str) -> Question:
    """The probabilities of a directed factor whose variable has no children."""
    return Question(named(f"factor({name})"), lambda p, t, x: (p.conditional(name).evaluate(t, x)["probs"], x))


def guide_factor(name: str, *given: str) -> Question:
    """The probabilities of a factor of the guide."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        own = {parameter.name: t[parameter.name] for parameter in p.guide.model.parameters}
        return p.guide.predict(own, name, {key: x[key] for key in given}), x

    return Question(lambda p: p.guide.equations()[f"factor({name})"], evaluate)


def minus_free_energy(*observed: str) -> Question:
    """log Σ exp(-E) over everything that is not observed."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        return -p.free_energy(t, {name: x[name] for name in observed}), x

    return Question(lambda p: p.free_energy_equation(observed), evaluate)


def rise_from_zero(name: str, *others: str) -> Question:
    """log p(x | others) - log p(0 | others), by the free energies of x and of 0."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        here = {key: x[key] for key in (name, *others)}
        return p.free_energy(t, {**here, name: 0 * x[name]}) - p.free_energy(t, here), x

    return Question(lambda p: p.free_energy_equation((name, *others)), evaluate)


def log_posterior(*given: str, shows: str) -> Question:
    """log p(the rest | given) = F(given) - E."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        return p.free_energy(t, {name: x[name] for name in given}) - p.energy(t, x), x

    return Question(lambda p: p.conditional(shows), evaluate)


def posterior(*given: str, shows: str) -> Question:
    """p(the rest | given)."""
    asked = log_posterior(*given, shows=shows)

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        return np.exp(asked.evaluates(p, t, x)[0]), x

    return Question(asked.shows, evaluate)


def partition() -> Question:
    """Z, once for every state of the batch."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        return np.full(rows(x), np.exp(p.log_partition(t, method="exact").value)), x

    return Question(named("energy"), evaluate)


def probability() -> Question:
    """p of a whole state, exp(-E) / Z."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        return np.exp(-p.energy(t, x) - p.log_partition(t, method="exact").value), x

    return Question(named("energy"), evaluate)


def log_likelihood() -> Question:
    """log p of a whole state of a directed model."""
    return Question(named("energy"), lambda p, t, x: (p.log_likelihood(t, x), x))


def gradient(name: str) -> Question:
    """∂E/∂θ in each state."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        one_by_one = [{key: value[n : n + 1] for key, value in x.items()} for n in range(rows(x))]
        return np.array([p.energy_gradient(t, state)[name] for state in one_by_one]), x

    return Question(lambda p: p.gradient_equations()[f"gradient({name})"], evaluate)


def expected_score(name: str, latent: str, cost: Callable[[Array], float]) -> Question:
    """Σ_h J(h) q(h | v) ∂ log q(h | v)/∂φ over all states of binary latents, with derivatives of the guide's energy."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        own = {parameter.name: t[parameter.name] for parameter in p.guide.model.parameters}
        found = np.zeros((rows(x), *t[name].shape))
        for h in product((0, 1), repeat=x[latent].shape[1]):
            for n in range(rows(x)):
                state = {symbol.name: x[symbol.name][n : n + 1] for symbol in p.guide.model.inputs}
                state[latent] = np.array([h])
                weight = cost(np.array(h)) * np.exp(-p.guide.energy(own, state)[0])
                found[n] -= weight * p.guide.energy_gradient(own, state)[name]
        return found, x

    return Question(lambda p: p.guide.gradient_equations()[f"gradient({name})"], evaluate)


def bound_equation(closed: bool) -> Callable[[pgmc.Program], Any]:
    """Minus the bound at given noise; with the divergence in closed form or at the draw."""
    return lambda p: collect_equations(p.compiler.reparametrised(closed).model)["energy"]


def bound_at(p: pgmc.Program, t: Arrays, x: Arrays, noise: Array, closed: bool) -> Array:
    """The bound in every state at given noise, before its mean over the noise."""
    bound = p.executable.bound(closed)
    names = {symbol.name for symbol in bound.model.inputs}
    state = {name: value for name, value in x.items() if name in names} | {"noise_z": noise}
    return -bound.evaluate(Energy(), t, encode_state(bound.model, state, tuple(state), "float64"))["energy"]


def noise_bound(closed: bool) -> Question:
    """The bound of a single normal latent unit, its mean over the noise from a fine grid."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        steps = np.linspace(-10, 10, 501)
        shares = np.exp(-0.5 * steps**2)
        every = {name: np.repeat(value, len(steps), axis=0) for name, value in x.items()}
        values = bound_at(p, t, every, np.tile(steps, rows(x))[:, None], closed)
        return values.reshape(rows(x), -1) @ (shares / shares.sum()), x

    return Question(bound_equation(closed), evaluate)


def weighted_bound(draws: int) -> Question:
    """The log of the mean weight of some draws, at noise that the formula gets too."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        noise = np.random.default_rng(1).normal(size=(rows(x), draws, x["z"].shape[1]))
        logs = np.array([bound_at(p, t, x, noise[:, k], closed=False) for k in range(draws)])
        return np.logaddexp.reduce(logs, axis=0) - np.log(draws), {**x, "noise": noise}

    return Question(bound_equation(closed=False), evaluate)


def mean_field(name: str, *observed: str) -> Question:
    """The mean of each unit where mean field comes to rest; the formula is evaluated at the means of the others."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        found = relax(p, t, x, observed)
        return found.means[name], {**x, **found.means}

    return Question(lambda p: mean_field_line(p, name, observed), evaluate)


def bound(*observed: str) -> Question:
    """The lower bound of mean field on log p(observed); the formula is evaluated at the means."""

    def evaluate(p: pgmc.Program, t: Arrays, x: Arrays) -> tuple[Array, Arrays]:
        found = relax(p, t, x, observed)
        return found.bound - p.log_partition(t, method="exact").value, {**x, **found.means}

    return Question(named("energy"), evaluate)


def relax(p: pgmc.Program, t: Arrays, x: Arrays, observed: tuple[str, ...]) -> Any:
    found = p.mean_field(t, {key: x[key] for key in observed}, iterations=2000, tol=1e-15)
    assert np.all(found.converged)
    return found


def mean_field_line(p: pgmc.Program, name: str, observed: tuple[str, ...]) -> Any:
    """The update of the means of a variable."""
    computation = p.mean_field_equations(observed)
    return next(quantity for quantity in computation.quantities if quantity.name == name)


def rows(x: Arrays) -> int:
    """The length of the batch."""
    return len(next(iter(x.values())))
