# %% [markdown]
# # Belief nets on digits
#
# Directed and hybrid models on the images of [Handwritten digits](digits.md): exact likelihood, wake-sleep,
# REINFORCE, a deep belief net trained by levels, and a fit in closed form. With `PGMC_DOCS=quick` in the environment
# it takes seconds and learns little.

# %% Data: 8 × 8 images, binarised by threshold at a half
import os

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import pgmc
from pgmc_models import deep_belief_net, fully_visible_belief_net, helmholtz_machine

quick = os.environ.get("PGMC_DOCS") == "quick"
data = load_digits()
images = pgmc.binarize(data.data / 16, "threshold")
order = np.random.default_rng(0).permutation(len(images))
train, test = images[order[360:]], images[order[:360]]
frequency = (train.sum(axis=0) + 1) / (len(train) + 2)
logits = np.log(frequency / (1 - frequency))  # where biases of pixels start


def epochs(times: int) -> int:
    """Fewer for a quick look."""
    return 2 if quick else times


# %% [markdown]
# ## Fully visible nets
#
# Every pixel depends on those before it, and nothing is hidden: log p is a sum, at any size.

# %% A logistic regression for every pixel
m = fully_visible_belief_net.model(64)
p = pgmc.compile(m)
fit = pgmc.fit(
    m,
    {"x": train},
    pgmc.ExactLikelihood(),
    pgmc.Adam(0.01),
    epochs=epochs(60),
    params=p.init() | {"b": logits},
    progress=False,
)
print(f"{p.log_joint(fit.params, {'x': test}).mean():.2f} nats per test image")

# %% [markdown]
# With normal factors whose means are linear in their parameters there is nothing to descend: each unit is a linear
# regression. A linear auto-regressive net is a Gaussian, and least squares find the one with the covariance of the
# data.

# %% In closed form
i, j = pgmc.indices("i j")
linear = pgmc.Model("linear")
x, W, b = linear.real("x", 64), linear.param("W", (64, 64)), linear.param("b", 64)
s = linear.param("s", 64, positive=True)
linear.directed(x[i], pgmc.Normal(mean=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i), precision=s[i]))
grey = data.data / 16 + 0.1 * np.random.default_rng(1).normal(size=data.data.shape)  # some pixels are always white
params = pgmc.fit_closed_form(linear, {"x": grey})
found = pgmc.compile(linear, dtype="float64").log_joint(params, {"x": grey}).mean()
covariance = np.cov(grey.T, bias=True)
gaussian = -0.5 * (64 * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + 64)
print(f"linear net {found:.8f} nats per image, Gaussian with the covariance of the data {gaussian:.8f}")

# %% [markdown]
# ## Hidden causes and a guide
#
# The Helmholtz machine draws hidden units first and pixels given them. Its guide q infers hidden units from pixels.
# What the posterior is without a guide:

# %% Explaining away
m = helmholtz_machine.model(64, 32)
p = pgmc.compile(m)
print(p.conditional("h"))

# %% [markdown]
# A sweep over such units keeps the logits of all pixels, so that a unit costs the number of pixels and not that times
# the number of hidden units. Training goes through the guide. `ReweightedWakeSleep` weighs several draws by how well
# they explain the image; `Reinforce` follows the gradient of the bound itself, whose variance a baseline lowers. log
# p of an image is estimated by importance sampling through the guide, on average from below.

# %% Three ways to learn
objectives = {
    "wake-sleep": pgmc.WakeSleep(),
    "reweighted wake-sleep, 10 draws": pgmc.ReweightedWakeSleep(10),
    "REINFORCE, input-dependent baseline": pgmc.Reinforce(baseline="input", hidden=50),
}
for name, objective in objectives.items():
    fit = pgmc.fit(
        m,
        {"v": train},
        objective,
        pgmc.Adam(0.01),
        epochs=epochs(100),
        params=p.init() | {"b": logits},
        progress=False,
    )
    estimate = p.log_likelihood(fit.params, {"v": test}, samples=10 if quick else 1000)
    print(f"{name}: {estimate.value.mean():.2f} nats per test image")

# %% [markdown]
# ## A deep belief net by levels
#
# The pair of a directed layer and the layer above it is a restricted Boltzmann machine, if what normalises the factor
# is left out. `pgmc.undirected` makes it from the model's own terms:

# %% The pairs
m = deep_belief_net.model(64, 64, 64)
p = pgmc.compile(m)
print(pgmc.undirected(m, ["v", "h1"]))
print(pgmc.undirected(m, ["h1", "h2"]))

# %% [markdown]
# `fit_layerwise` trains one pair after the other, each on what the up-pass makes of the data, and hands the
# parameters to the whole model and its guide. `UpDown` then trains all levels together.

# %% Train by levels, then as a whole
greedy = pgmc.fit_layerwise(
    m, {"v": train}, pgmc.PCD(k=5), pgmc.SGD(0.05, momentum=0.5), epochs=epochs(150), progress=False
)
whole = pgmc.fit(
    m, {"v": train}, pgmc.UpDown(10), pgmc.SGD(0.005), epochs=epochs(50), params=greedy.params, progress=False
)

# %% [markdown]
# log Z is that of the top pair. With it the guide gives a lower bound on log p.

# %% The bound
for name, params in {"by levels": greedy.params, "after up-down": whole.params}.items():
    hidden = p.guide.sample(params, len(train), 1, inputs={"v": train}, seed=0)["h1"][:, 0]
    betas = 100 if quick else 2000
    log_z = p.log_partition(params, method="ais", chains=100, betas=betas, data={"h1": hidden}, seed=0)
    estimate = p.log_likelihood(params, {"v": test}, log_z, samples=20)
    print(
        f"{name}: bound {estimate.bound.mean():.2f} nats per test image, "
        f"log Z {log_z.value:.2f} ± {log_z.std_error:.2f}"
    )

# %% [markdown]
# ## Features
#
# The up-pass is a feature extractor with scikit-learn's interface, and the start of a classifier that is fine-tuned.

# %% Classify
labels = data.target[order]
how = {"objective": pgmc.PCD(k=5), "optimizer": pgmc.SGD(0.05, momentum=0.5), "epochs": epochs(60)}
features = pgmc.UpPassFeatures(m, "v", **how).fit(train)
pixels = LogisticRegression(max_iter=1000).fit(train, labels[360:])
above = LogisticRegression(max_iter=1000).fit(features.transform(train), labels[360:])
tuned = pgmc.UpPassClassifier(m, "v", **how, fine_tuning={"max_iter": 300, "early_stopping": True}).fit(
    train, labels[360:]
)
print(f"logistic regression on pixels       {pixels.score(test, labels[:360]):.3f}")
print(f"logistic regression on the up-pass  {above.score(features.transform(test), labels[:360]):.3f}")
print(f"the up-pass, fine-tuned             {tuned.score(test, labels[:360]):.3f}")

# %% [markdown]
# ## On MNIST
#
# `python -m benchmarks.directed_nets FILE EPOCHS NET` trains such nets on 50,000 images, binarised once by sampling. A
# Helmholtz machine with 200 hidden units, by reweighted wake-sleep with 10 draws, reached -103.96 ± 0.84 nats on 1,000
# test images after 65 epochs, estimated with 1,000 draws an image, in a run whose rate fell with time and not with
# epochs (published: -103.1, on another draw of the pixels and with more draws). A deep belief net of 500 and 500 units,
# 20 epochs a pair, has a bound of -96.10 ± 0.27 nats on the test images (published for 500 and 2000 units and much
# longer training: -85.97).
