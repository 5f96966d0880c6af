# %% [markdown]
# # Sampling: temperatures, missing data, replicas
#
# Chains draw from p(x) ∝ exp(-β E(x)), block by block, and stay there; the question is how long it takes them to get
# everywhere. The model here is a magnet of 8 × 8 spins: below its critical temperature all spins agree, on one of two
# directions, and single updates practically never turn all of them around.

# %% A magnet on a torus
import numpy as np

import pgmc

m = pgmc.Model("magnet")
s, J = m.spin("s", (8, 8), boundary="periodic"), m.param("J")
x, y = pgmc.indices("x y")
m.energy(-J * s[x, y] * s[x + 1, y] - J * s[x, y] * s[x, y + 1])
p = pgmc.compile(m)
params = {"J": 0.6}  # the critical value is 0.44
direction = {"up": lambda state: state["s"].mean(axis=(1, 2)) > 0}

# %% [markdown]
# ## Temperatures
#
# `inverse_temperature` is a number, one number for each chain, or one for each sweep. At β = 0 every state is as
# likely as any other; at β = 1 chains draw the same bits as without a temperature. A schedule that rises is
# *annealing*: below, 32 chains are cooled to nearly zero temperature and end in one of the two ground states, of
# energy -128 J.

# %% One temperature for each chain
found = p.sample(params, chains=3, sweeps=200, inverse_temperature=[0.0, 0.5, 1.0], seed=0)
print(np.abs(found["s"].mean(axis=(1, 2, 3))).round(2))

# %% Annealing: one for each sweep
cooled = p.sample(params, chains=32, sweeps=300, inverse_temperature=np.linspace(0, 5, 300), seed=0)
energy = p.energy(params, {"s": cooled.last["s"]}) / params["J"]
print(f"{np.mean(energy < -127.5):.0%} of the chains in a ground state; the highest energy is {energy.max():.0f}")

# %% [markdown]
# ## Missing data
#
# `clamp` keeps units at given values. Masked entries of a masked array stay free, each example with a mask of its
# own: here the left half of one picture is known, and the upper half of another.

# %% Each chain fills in what it does not know
known = np.ones((2, 8, 8), dtype=int)
mask = np.zeros((2, 8, 8), dtype=bool)
mask[0, :, 4:] = mask[1, 4:, :] = True  # True is missing
filled = p.sample(params, chains=2, sweeps=100, clamp={"s": np.ma.MaskedArray(known, mask)}, seed=0)
print((filled.last["s"][~mask] == 1).all(), filled.last["s"].mean(axis=(1, 2)).round(2))

# %% [markdown]
# ## Replicas that swap places
#
# With `tempering` each chain is a ladder of replicas, from β = 0 to β = 1. After every sweep neighbours on the ladder
# propose to swap, which is accepted with probability min(1, exp((β_a - β_b)(E_a - E_b))): the law of every rung stays
# as it is, and states that turned around while they were hot come down. What is recorded is the replica at β = 1.

# %% Plain chains stay where they start, tempered ones do not
start = {"s": np.ones((8, 8))}
plain = p.sample(params, 20, 1000, init=start, observe=direction, keep=500, seed=0)
ladder = pgmc.Tempering(10)
tempered = p.sample(params, 20, 1000, init=start, observe=direction, keep=500, seed=0, tempering=ladder)
print(f"up: {plain['up'].mean():.2f} of the time without replicas, {tempered['up'].mean():.2f} with them; exact: 0.50")

# %% [markdown]
# `swap_rates` says how often each pair of neighbours swaps, and `round_trips` how often a replica went from the
# hottest rung to the coldest and back. Where a rate is near 0 the ladder is cut in two. `respaced` moves rungs to
# where swaps are rare: the same number of them, or as many as it takes for a given rate.

# %% A better ladder from measured rates
print("rates", tempered.swap_rates.round(2), "round trips a chain", tempered.round_trips.mean())
better = ladder.respaced(tempered.swap_rates)
again = p.sample(params, 20, 1000, seed=1, tempering=better)
print("rates", again.swap_rates.round(2), "round trips a chain", again.round_trips.mean())

# %% [markdown]
# `last` of what is returned goes on where the chains stopped, replicas included, with the same bits as one long run.
# For training, `pgmc.PCD(k, chains, tempering=ladder)` follows the model with replicas. For log Z the ratios between
# neighbouring rungs add up, with an error between independent chains; at β = 0 it is known.

# %% Going on, and log Z along the ladder
more = p.sample(params, 20, 500, init=again.last, tempering=better)
print(more.last)
print(p.log_partition(params, method="tempering", chains=20, betas=better, sweeps=500, seed=0))

# %% [markdown]
# ## Real units of any energy, and Hamiltonian Monte Carlo
#
# A real or positive unit whose local energy matches no family is drawn by slice sampling, which needs nothing but the
# density up to a factor: a level is drawn below it, an interval is stepped out and shrunk, and nothing has to be tuned.
# `explain()` says why no family fits; a density without a finite integral is refused by `compile`.
#
# `sampler=pgmc.HMC(...)` moves all real and positive units at once instead, along leapfrog steps down the slope of the
# energy, or of the free energy where units are summed or integrated out of it. The size of the steps adapts before the
# first state that is recorded, for each chain by itself or `pooled`, and is fixed from then on.

# %% A field with a double well at every site
from pgmc_models import scalar_field

f = pgmc.compile(scalar_field.model(8, 8))
print(f.conditional("phi"))
print(f.conditional("phi").law.reasons[0])
start = f.init()
gibbs = f.sample(start, chains=50, sweeps=400, keep=300, seed=0, observe={"m2": lambda s: (s["phi"] ** 2).mean((1, 2))})
hybrid = f.sample(
    start,
    chains=50,
    sweeps=400,
    keep=300,
    seed=0,
    sampler=pgmc.HMC(steps=10),
    observe={"m2": lambda s: (s["phi"] ** 2).mean((1, 2))},
)
print(f"mean of the squares: {gibbs['m2'].mean():.2f} by slice sampling, {hybrid['m2'].mean():.2f} by HMC")
print(hybrid.moves)

# %% [markdown]
# `Samples.moves` has the acceptance of each chain, the moves that diverged and the sizes of the steps; `last` carries
# the sizes on. In training `pgmc.PCD(k, chains, sampler=pgmc.HMC(steps=20, target=0.9))` and `pgmc.CD(k, sampler=...)`
# move the negative phase so, with steps that follow the model as it changes. Replicas on a ladder do not move by HMC:
# steps of one size fit one temperature.
