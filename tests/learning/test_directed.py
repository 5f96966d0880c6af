"""Maximum likelihood of directed models: exact at any size without latents, as log Z is 0; by sums over few of them."""

import numpy as np

import pgmc
from pgmc.learning.objective import Setup
from pgmc.runtime.streams import Stream


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


def test_latent_variables_of_a_directed_model_are_summed_over() -> None:
    """The gradient of ``ExactLikelihood`` with latents, against central differences of an enumerated log p."""
    m = pgmc.Model("net")
    v, h, g = m.binary("v", 3), m.binary("h", 2), m.categorical("g", states=3)
    W, U = m.param("W", (3, 2)), m.param("U", (2, 3))
    m.directed(g, pgmc.Categorical(logits=m.param("a", 3)))
    m.directed(h, pgmc.Bernoulli(logits=U @ g))
    m.directed(v, pgmc.Bernoulli(logits=W @ h + m.param("b", 3)))
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    rng = np.random.default_rng(2)
    params = {name: rng.normal(size=np.shape(value)) for name, value in program.init().items()}
    data = {"v": np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 0]])}
    names = tuple(params)
    setup = Setup(program.executable, ("v",), ("h", "g"), names, data, Stream(0, "test"), False, False)
    objective = pgmc.ExactLikelihood()
    state = objective.prepare(setup, params)
    found = objective.gradient(setup, params, data, 0, state, True)

    def mean_log(changed: dict[str, np.ndarray]) -> float:
        joint = pgmc.enumerate_states(m, changed)
        rows = [(joint.states["v"] == row).all(axis=1) for row in data["v"]]
        return float(np.mean([np.log(joint.probabilities[row].sum()) for row in rows]))

    assert abs(found.metrics["log_likelihood"] - mean_log(params)) < 1e-10
    for name, value in params.items():
        for place in np.ndindex(value.shape):
            up, down = (params | {name: value.copy()} for _ in range(2))
            up[name][place] += 1e-5
            down[name][place] -= 1e-5
            slope = (mean_log(up) - mean_log(down)) / 2e-5
            assert abs(found.gradients[name][place] + slope) < 1e-8
