# %% [markdown]
# # How to add an objective
#
# An objective estimates the gradient of a loss per example. It is an immutable settings object with three methods;
# `pgmc.fit` takes any object that has them, so that yours needs no change of pgmc. It asks the compiled model queries
# and never looks at a stage of the compiler: the compiler therefore needs nothing new, and the objective serves
# every model that can answer its queries.
#
# The skeleton below is *minimum probability flow* (Sohl-Dickstein, Battaglino and DeWeese 2011): the probability that
# flows in a short time from the data to the states one flip away,
#
#     K = 1/n Σ_x Σ_x' exp((F(x) - F(x')) / 2),
#
# which is least where the model is the data. No chain and no partition function is needed. With w = exp((F(x) -
# F(x')) / 2) the gradient is a weighted sum of the statistics ∂F/∂θ at the data and at their neighbours, each with a
# weight of ± w / 2n; `mean_statistic` takes such weights.

# %% The skeleton, to copy
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

import pgmc
from pgmc.ir.symbols import Binary
from pgmc.learning.objective import Array, Arrays, Estimate, Objective, Setup, Terms
from pgmc.learning.phases import mean_statistic


@dataclass(frozen=True)
class MinimumProbabilityFlow(Terms):
    """The flow of probability from the data to the states one flip away.

    Parameters
    ----------
    limit
        The largest number of units that may be flipped.
    """

    limit: int = 4096

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """Refuse what it does not apply to; the answer is what is remembered between steps."""
        variables = [setup.executable.model.variable(name) for name in setup.observed]
        if not all(isinstance(variable.domain, Binary) for variable in variables):
            raise pgmc.ArgumentError("MinimumProbabilityFlow flips units that are 0 or 1. Observe binary units only.")
        if setup.latents and not setup.has_free_energy:
            raise pgmc.IntractableError("MinimumProbabilityFlow: latent units cannot be summed out. Observe them.")
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """∂K/∂θ on a minibatch; draws, if there were any, would be keyed by ``step``."""
        both, weights, flow = self._flow(setup, params, batch)
        gradients = mean_statistic(setup, params, both, weights)
        return Estimate(gradients, {"flow": flow} if measure else {}, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """What is measured on held-out data, once an epoch."""
        return {"flow": self._flow(setup, params, data)[2]}

    def _flow(self, setup: Setup, params: Mapping[str, Array], batch: Arrays) -> tuple[Arrays, Array, float]:
        """The data above all their neighbours, the weights of the statistic at each, and K."""
        neighbours = [
            {**batch, name: flipped} for name in setup.observed for flipped in flip_each(batch[name], self.limit)
        ]
        rows = len(batch[setup.observed[0]])
        here = setup.energies(params, batch)
        w = np.concatenate([np.exp((here - setup.energies(params, other)) / 2) for other in neighbours]) / rows
        both = {name: np.concatenate([batch[name], *(other[name] for other in neighbours)]) for name in batch}
        return both, np.concatenate([w.reshape(-1, rows).sum(axis=0), -w]) / 2, float(w.sum())


def flip_each(values: Array, limit: int) -> list[Array]:
    """The states with one unit flipped, for each unit."""
    units = list(np.ndindex(values.shape[1:]))
    if len(units) > limit:
        raise pgmc.ArgumentError(f"MinimumProbabilityFlow: {len(units)} units are more than the limit of {limit}.")
    found = []
    for unit in units:
        other = values.copy()
        other[:, *unit] = 1 - other[:, *unit]
        found.append(other)
    return found


assert isinstance(MinimumProbabilityFlow(), Objective)

# %% It trains any model of binary units whose latent ones can be summed out
bars = np.array([np.tile([k >> 2 & 1, k >> 1 & 1, k & 1], (3, 1)) for k in range(8)])
X = np.concatenate([bars, bars.transpose(0, 2, 1)]).reshape(-1, 9)

m = pgmc.Model("bars_and_stripes")
v, h = m.binary("v", 9), m.binary("h", 8)
W, b, c = m.param("W", (9, 8)), m.param("b", 9), m.param("c", 8)
m.energy(-(v @ W @ h) - b @ v - c @ h)
p = pgmc.compile(m, dtype="float64", backend="numpy")

objective = MinimumProbabilityFlow()
fit = pgmc.fit(m, {"v": X}, objective, pgmc.Adam(0.05), epochs=400, seed=0, progress=False, dtype="float64")
print(fit.history["flow"][[0, -1]].round(2))
print(f"{p.log_likelihood(fit.params, {'v': X}).mean():.2f} nats a picture; no model gets beyond -2.60")

# %% [markdown]
# ## What a test of it says
#
# An objective is right where its gradient is the derivative of its loss, at random parameters. An estimate that is
# random is compared in the mean of many. `Terms` makes weighted sums of objectives: `0.5 * MinimumProbabilityFlow() +
# pgmc.CD(1)` trains too.


# %% One step of plain descent with rate 1 moves parameters by minus the gradient
def flow(params: Mapping[str, Array]) -> float:
    """K, by the free energy alone."""
    here = p.free_energy(params, {"v": X})
    others = [p.free_energy(params, {"v": np.where(np.arange(9) == i, 1 - X, X)}) for i in range(9)]
    return float(np.mean(np.exp((here - np.array(others)) / 2), axis=1).sum())


start = {name: value + 0.1 for name, value in p.init(seed=0).items()}
step = pgmc.fit(m, {"v": X}, objective, pgmc.SGD(1.0), epochs=1, params=start, progress=False, dtype="float64")
for name, at in (("W", (2, 3)), ("b", 4), ("c", 1)):
    losses = []
    for difference in (1e-5, -1e-5):
        moved = {key: value.copy() for key, value in start.items()}
        moved[name][at] += difference
        losses.append(flow(moved))
    numerical = (losses[0] - losses[1]) / 2e-5
    derived = start[name][at] - step.params[name][at]
    assert abs(derived - numerical) < 1e-6, (name, derived, numerical)
print("the gradient is right")

# %% [markdown]
# If you send it in: one file of `pgmc/learning/` for an objective, with the formula and its source in the docstring, a
# line in `pgmc/__init__.py`, and tests like the one above in `tests/learning`.
