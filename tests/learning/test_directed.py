"""Maximum likelihood of directed models without latent variables: exact at any size, as log Z is 0."""

import numpy as np

import pgmc


def test_a_fully_visible_net_learns_the_law_of_its_data() -> None:
    """Data from a net with known weights: the fit's likelihood on fresh data is within 0.02 nats of the truth's."""
    i, j = pgmc.indices("i j")
    m = pgmc.Model("net")
    x, W, b = m.binary("x", 12), m.param("W", (12, 12)), m.param("b", 12)
    m.directed(x[i], pgmc.Bernoulli(logits=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i)))
    truth = {"W": np.tril(np.random.default_rng(0).normal(size=(12, 12)), -1), "b": np.full(12, -0.3)}
    program = pgmc.compile(m)
    train, test = (program.sample(truth, chains=4000, sweeps=1, seed=seed)["x"][:, 0] for seed in (1, 2))
    fit = pgmc.fit(
        m,
        {"x": train},
        objective=pgmc.ExactLikelihood(),
        optimizer=pgmc.Adam(0.02),
        epochs=30,
        batch_size=200,
        seed=0,
        progress=False,
    )
    learned, best = (program.log_joint(params, {"x": test}).mean() for params in (fit.params, truth))
    assert best - 0.02 < learned < best + 0.02
