# %% [markdown]
# # Handwritten digits
#
# What `pgmc train rbm digits` does, step by step. Run it as a script, or cell by cell in an editor that knows `# %%`.
# With `PGMC_DOCS=quick` in the environment it takes seconds and learns little.

# %% [markdown]
# Likelihoods of images that were made binary in different ways cannot be compared, so the way has a name:
# `pgmc.binarize(X, "threshold")`, `"sample"` (a pixel is 1 with a probability equal to its grey level, drawn once) or
# `"resample"` (drawn anew in every epoch: give what it returns to `fit` in the place of an array).

# %% Data: 8 × 8 images with 17 grey levels, binarised by threshold at a half
import os

import numpy as np
from sklearn.datasets import load_digits

import pgmc

quick = os.environ.get("PGMC_DOCS") == "quick"
images = pgmc.binarize(load_digits().data / 16, "threshold")
order = np.random.default_rng(0).permutation(len(images))
train, test = images[order[360:]], images[order[:360]]

# %% The model: equation (20.5) of Goodfellow, Bengio and Courville (2016), Deep learning
hidden = 20  # few enough for log Z to be summed exactly, over 2^20 states
m = pgmc.Model("rbm")
v, h = m.binary("v", 64), m.binary("h", hidden)
W = m.param("W", (64, hidden))
b, c = m.param("b", 64), m.param("c", hidden)
m.energy(-(v @ W @ h) - b @ v - c @ h)

# %% What is derived from it
p = pgmc.compile(m)
print(p)

# %% [markdown]
# ## Training
#
# Persistent contrastive divergence: the gradient of the log-likelihood is a difference of two means of ∂F/∂θ, over the
# data and over chains that follow the model. The hidden units are summed out in both.

# %% What is descended
print(p.gradient_equations(["v"]))

# %% Fit
epochs = 5 if quick else 500


def rate(epoch: float) -> float:
    """Constant for half the time, then falling to 0."""
    return 0.2 * min(1.0, 2.0 * (1.0 - epoch / epochs))


fit = pgmc.fit(
    m,
    {"v": train},
    objective=pgmc.PCD(k=5, chains=100),
    optimizer=pgmc.SGD(rate, momentum=0.5, weight_decay=1e-3),
    epochs=epochs,
    validation={"v": test},
    seed=0,
    progress=not quick,
)
print(fit.history)

# %% [markdown]
# ## How good it is
#
# log p(v) = -F(v) - log Z. With few hidden units log Z is a sum over their states; with many it is estimated by
# annealed importance sampling, upwards from independent units (at most log Z on average) and downwards from the
# model (at least log Z on average). Where all three are there, they can be compared.

# %% log Z three times
chains, steps = (50, 50) if quick else (500, 1000)
exact = p.log_partition(fit.params, method="exact")
up = p.log_partition(fit.params, method="ais", chains=chains, betas=steps, data={"v": train}, seed=0)
down = p.log_partition(fit.params, method="reverse-ais", chains=chains, betas=steps, data={"v": train}, seed=0)
print(exact, up, down, sep="\n")

# %% Log-likelihood of an image in nats, and that of independent pixels
frequency = (train.sum(axis=0) + 0.5) / (len(train) + 1.0)
for name, split in (("train", train), ("test", test)):
    model = p.log_likelihood(fit.params, {"v": split}, exact)
    pixels = np.log(np.where(split == 1, frequency, 1.0 - frequency)).sum(axis=1)
    print(f"{name:<6} model {model.mean():7.2f}   independent pixels {pixels.mean():7.2f}")

# %% [markdown]
# ## Samples
#
# Chains from uniformly random states, so that R-hat can tell whether they have met.

# %% Chains
from pgmc.evaluation.diagnostics import potential_scale_reduction

samples = p.sample(fit.params, chains=100, sweeps=200 if quick else 5000, keep=50, thin=2 if quick else 50, seed=0)
free_energy = p.free_energy(fit.params, {"v": samples["v"].reshape(-1, 64)}).reshape(100, 50)
print(f"R-hat of the free energy: {potential_scale_reduction(free_energy[..., None])[0]:.3f}")

# %% Pictures, if matplotlib is there
try:
    from pgmc.inspection.pictures import filter_sheet, sample_sheet

    last = {name: states[:, -1] for name, states in samples.items()}
    probabilities = p.conditional("v").evaluate(fit.params, last)["probs"]
    sheets = filter_sheet(fit.params["W"], (8, 8)), sample_sheet(probabilities, (8, 8))
except pgmc.ArgumentError as error:
    print(error)

# %% [markdown]
# ## Half an image
#
# A clamp keeps units at their values. A masked array keeps some and leaves the others free: here the upper half
# of a test image is given and the lower half is drawn.

# %% Inpainting
upper = np.arange(64) < 32
given = np.ma.masked_array(test[:8], mask=np.broadcast_to(~upper, (8, 64)))
drawn = p.sample(fit.params, chains=8, sweeps=50 if quick else 1000, clamp={"v": given}, seed=0)["v"][:, 0]
assert (drawn[:, upper] == test[:8, upper]).all()

# %% Keep it
import tempfile

with tempfile.TemporaryDirectory() as folder:
    pgmc.save(f"{folder}/digits.pgmc", m, fit.params)
    again, params = pgmc.load(f"{folder}/digits.pgmc")
assert (pgmc.compile(again).free_energy(params, {"v": test}) == p.free_energy(fit.params, {"v": test})).all()
