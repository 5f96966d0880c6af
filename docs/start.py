# %% [markdown]
# # The first five minutes
#
# From an empty folder to a trained model. You need Python 3.11 or newer; on two cores everything on this page takes a
# minute, most of which goes into compiling kernels for the first time. They are kept for the next time.
#
# ```sh
# python3 -m venv .venv
# .venv/bin/pip install -e ".[data,plot,report]"   # in a checkout
# .venv/bin/pgmc show rbm
# ```
#
# The last line prints the equations of a model that comes with pgmc. `pgmc models` lists all of them. The rest of this
# page is Python.

# %% [markdown]
# ## One: write an energy
#
# Declare arrays of units and of parameters, and the energy as a paper writes it. A state x has the probability
# exp(-E(x)) / Z. Nothing else is declared: what follows from the energy is derived.

# %% A model
import numpy as np

import pgmc

m = pgmc.Model("first")
v, h = m.binary("v", 9), m.binary("h", 8)
W, b, c = m.param("W", (9, 8)), m.param("b", 9), m.param("c", 8)
m.energy(-(v @ W @ h) - b @ v - c @ h)

# %% What was derived
p = pgmc.compile(m)
print(p.equations())

# %% [markdown]
# ## Two: ask why
#
# Each law comes with the steps that led to it. What cannot be derived is refused, with the reason.

# %% The steps from the energy to a conditional
print(p.conditional("h").explain())

# %% Change one term, and see what changes
other = pgmc.Model("coupled")
v, h = other.binary("v", 9), other.binary("h", 8)
W, b, c = other.param("W", (9, 8)), other.param("b", 9), other.param("c", 8)
L = other.param("L", (8, 8), symmetric=True, zero_diagonal=True)
other.energy(-(v @ W @ h) - b @ v - c @ h - h @ L @ h)
print(p.equations().diff(pgmc.compile(other).equations()))

# %% [markdown]
# ## Three: prove it
#
# What was derived is compared with brute force, on an instance that is small enough to list every state. Here is the
# proof of the derivation, interpreted in NumPy, which takes seconds; `p.verify()` proves the generated kernels.

# %% The proof
proof = pgmc.compile(m, backend="numpy").verify()
print(*str(proof).splitlines()[:12], f"... {len(proof.checks)} checks in all", sep="\n")

# %% [markdown]
# ## Four: train, measure, sample
#
# Images of three rows or three columns, each of them full or empty: bars and stripes. There are 14 different ones, of
# which two come twice, so that no model gets beyond -2.60 nats a picture.

# %% Data and training
bars = np.array([np.tile([k >> 2 & 1, k >> 1 & 1, k & 1], (3, 1)) for k in range(8)])
X = np.concatenate([bars, bars.transpose(0, 2, 1)]).reshape(-1, 9)

objective = pgmc.ExactLikelihood()  # there are few states; else pgmc.PCD(k=5, chains=100), or others
fit = pgmc.fit(m, {"v": X}, objective=objective, optimizer=pgmc.Adam(0.05), epochs=1000, seed=0, progress=False)
print(f"before: {p.log_likelihood(p.init(seed=0), {'v': X}).mean():.2f} nats a picture")
print(f"after:  {p.log_likelihood(fit.params, {'v': X}).mean():.2f}, {p.log_partition(fit.params)}")

# %% Samples: are they bars and stripes?
samples = p.sample(fit.params, chains=1000, sweeps=500, seed=0)
pictures = samples["v"][:, 0]
print(pictures[:3].reshape(3, 3, 3))
print(f"{np.mean([any((picture == x).all() for x in X) for picture in pictures]):.0%} of 1000 samples are in the data")

# %% A picture completed: the upper row is given, and the likeliest of 100 answers
upper, missing = [1, 0, 1, 0, 0, 0, 0, 0, 0], np.arange(9) > 2
given = np.ma.masked_array(np.tile(upper, (100, 1)), mask=np.tile(missing, (100, 1)))
completed = p.sample(fit.params, chains=100, sweeps=200, clamp={"v": given}, seed=0)["v"][:, 0]
answers, counts = np.unique(completed, axis=0, return_counts=True)
print(answers[counts.argmax()].reshape(3, 3))

# %% [markdown]
# ## Five: read the code
#
# This is what ran. Every loop stands under the equation that it implements, in the letters you declared.

# %% The kernel of a sweep
source = p.source()
start = source.rindex("@njit", 0, source.index("def sweep("))
print(source[start : source.index('"""energy', start)].strip())

# %% [markdown]
# ## Where to go on
#
# [Declaring a model](declaring.md) has all kinds of units and both notations. [Models](models/index.md) has a page for
# each specification that comes along, [the stages](stages/index.md) follow one model through the compiler, and
# [handwritten digits](digits.md) is training on real data with all that belongs to it. On the command line,
# `pgmc train rbm digits` does that in one go, and writes a report with pictures.
