"""The backend "numpy" evaluates the IR; generated kernels must draw the same states from the same numbers."""

import numpy as np

import pgmc
from pgmc.ir.queries import Sweep
from pgmc.runtime.state import random_state
from pgmc.runtime.streams import Stream


def mixed():
    """Binary, spin and categorical units; a dense layer, which is drawn unit by unit."""
    m = pgmc.Model("mixed")
    v, s, k = m.binary("v", 4), m.spin("s", 3), m.categorical("k", 2, states=3)
    U = m.param("U", (4, 4), symmetric=True, zero_diagonal=True)
    m.energy(-(v @ U @ v) - v @ m.param("W", (4, 3)) @ s - s @ m.param("b", 3))
    m.energy(-pgmc.einsum("i,ac,iac->", v, k, m.param("T", (4, 2, 3))))
    return m


def test_backends_draw_the_same_states():
    programs = [pgmc.compile(mixed(), dtype="float64", backend=backend) for backend in ("numba", "numpy")]
    rng = np.random.default_rng(0)
    params = {name: rng.normal(0, 0.5, value.shape) for name, value in mixed().init().items()}

    def check(**how):
        how = {"chains": 300, "sweeps": 4, "seed": 7, **how}
        fast, plain = (program.sample(params, **how) for program in programs)
        for name in fast:
            np.testing.assert_array_equal(fast[name], plain[name])
        return fast

    first = next(iter(check(keep=2)))
    check(inverse_temperature=np.linspace(0, 2, 300))
    values = check()[first][:, 0]
    kept = rng.random(values.shape) < 0.5
    clamped = check(clamp={first: np.ma.MaskedArray(values, ~kept)})[first][:, 0]
    np.testing.assert_array_equal(clamped[kept], values[kept])


def test_backends_agree_backwards():
    runs = [pgmc.compile(mixed(), dtype="float64", backend=b).executable for b in ("numba", "numpy")]
    params = {p.name: np.zeros([a.size for a in p.axes]) for p in runs[0].model.parameters}
    params["b"] += [0.5, -1.0, 0.2]
    params["U"] += 0.3 * (1 - np.eye(4))
    states = [random_state(run.model, 50, Stream(1, "start"), "float64") for run in runs]
    for run, state in zip(runs, states, strict=True):
        query = Sweep(("v", "s", "k"), first=("k",), backward=True)
        run.sweep(query, params, state, stream=Stream(2, "sweep"), sweeps=3)
    for name in states[0]:
        np.testing.assert_array_equal(states[0][name], states[1][name])
