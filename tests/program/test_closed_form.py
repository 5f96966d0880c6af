"""Maximum likelihood by least squares: the gradient is 0 there, and it is the covariance of a linear Gaussian net."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pgmc


def autoregressive(units: int = 5, spread: str = "precision", **how: Any) -> pgmc.Model:
    i, j = pgmc.indices("i j")
    m = pgmc.Model("linear")
    x, W, b = m.real("x", units), m.param("W", (units, units), **how), m.param("b", units)
    s = m.param("s", units, positive=True)
    mean = b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i)
    law = pgmc.Normal(mean=mean, precision=s[i]) if spread == "precision" else pgmc.Normal(mean=mean, scale=s[i])
    m.directed(x[i], law)
    return m


def correlated(rows: int = 400, units: int = 5, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, units)) @ rng.normal(size=(units, units)) + rng.normal(size=units)


@pytest.mark.parametrize("spread", ["precision", "scale"])
def test_a_linear_net_is_the_gaussian_of_the_data(spread: str) -> None:
    """Its likelihood is that of the normal law with the mean and the covariance of the data: the maximum of all."""
    data = correlated()
    m = autoregressive(spread=spread)
    params = pgmc.fit_closed_form(m, {"x": data})
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    off = data - data.mean(axis=0)
    covariance = off.T @ off / len(data)
    shape = np.linalg.slogdet(2 * np.pi * covariance)[1] + np.einsum("ni,ij,nj->n", off, np.linalg.inv(covariance), off)
    np.testing.assert_allclose(program.log_joint(params, {"x": data}), -shape / 2, atol=1e-9)
    for name, gradient in program.energy_gradient(params, {"x": data}).items():
        assert np.abs(gradient).max() < 1e-9, name
    assert np.all(np.triu(params["W"]) == 0)


def test_features_inputs_masks_and_shared_precisions() -> None:
    """Features of inputs, a parameter that stands twice, one that is fixed, and a grid with one scale for each row."""
    p, q, k = pgmc.indices("p q k")
    m = pgmc.Model("grid")
    u, a, x = m.input("u", 3), m.real("a", 4), m.real("x", (2, 4))
    mask = np.array([[1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1]])
    A, V, c = m.param("A", (3, 4), mask=mask), m.param("V", (4, 2, 3)), m.param("c", (2, 4), fixed=True)
    r = m.param("r", 2, positive=True)
    m.directed(a[q], pgmc.Normal(mean=u[k] * A[k, q], precision=4.0))
    mean = pgmc.tanh(u[k]) * V[q, p, k] + V[q, p, k] * u[k] * a[q] + c[p, q]
    m.directed(x[p, q], pgmc.Normal(mean=mean, scale=r[p]))
    rng = np.random.default_rng(1)
    data = {"u": rng.normal(size=(60, 3)), "a": rng.normal(size=(60, 4)), "x": rng.normal(size=(60, 2, 4))}
    start = m.init(0, dtype="float64") | {"c": rng.normal(size=(2, 4))}
    params = pgmc.fit_closed_form(m, data, params=start)
    np.testing.assert_array_equal(params["c"], start["c"])
    assert np.all(params["A"][mask == 0] == 0)
    program = pgmc.compile(m, dtype="float64", backend="numpy")
    for name, gradient in program.energy_gradient(params, data).items():
        assert name == "c" or np.abs(gradient).max() < 1e-9, name
    for name in ("A", "V", "r"):  # it is the minimum: any step away from it is worse
        moved = params | {name: np.abs(params[name]) * (1 + 0.1 * rng.random(params[name].shape))}
        if name != "r":
            moved[name] = params[name] + 0.1 * rng.normal(size=params[name].shape) * (mask if name == "A" else 1)
        assert program.log_joint(moved, data).sum() < program.log_joint(params, data).sum()


def test_precisions_that_depend_on_the_data_weigh_the_rows() -> None:
    m = pgmc.Model("weighted")
    u, x, w = m.input("u", 2), m.real("x", 2), m.param("w", 2)
    m.directed(x, pgmc.Normal(mean=w * u, precision=pgmc.exp(u)))
    rng = np.random.default_rng(2)
    data = {"u": rng.normal(size=(30, 2)), "x": rng.normal(size=(30, 2))}
    params = pgmc.fit_closed_form(m, data)
    weight = np.exp(data["u"])
    expected = (weight * data["u"] * data["x"]).sum(0) / (weight * data["u"] ** 2).sum(0)
    np.testing.assert_allclose(params["w"], expected, atol=1e-10)


def refused(**declared: Any) -> str:
    m = pgmc.Model("refused")
    x, u, i, j = m.real("x", 3), m.input("u", 3), *pgmc.indices("i j")
    W, b, s = m.param("W", (3, 3)), m.param("b", 3), m.param("s", positive=True)
    which = declared["which"]
    laws: dict[str, Any] = {
        "product": lambda: pgmc.Normal(mean=W[i, j] * b[j] * u[j]),
        "shared": lambda: pgmc.Normal(mean=b[j] * u[j] + u[i]),
        "both ways": lambda: pgmc.Normal(mean=W[i, j] * u[j] + W[j, i] * u[j]),
        "precision": lambda: pgmc.Normal(mean=b[i], precision=pgmc.exp(s)),
        "in both": lambda: pgmc.Normal(mean=b[i], precision=b[i]),
    }
    m.directed(x[i], laws[which]())
    with pytest.raises(pgmc.IntractableError) as caught:
        pgmc.fit_closed_form(m, {"x": np.zeros((4, 3)), "u": np.ones((4, 3))})
    return str(caught.value)


@pytest.mark.filterwarnings("ignore::pgmc.ModelWarning")
def test_what_has_no_closed_form_is_refused() -> None:
    assert "is not linear in it together with other parameters" in refused(which="product")
    assert "several units of x share an element" in refused(which="shared")
    assert "several units of x share an element" in refused(which="both ways")
    assert "the precision of x is a function of it" in refused(which="precision")
    assert "b: it stands in the mean and in the precision" in refused(which="in both")
    m = pgmc.Model("binary")
    v = m.binary("v", 2)
    m.directed(v, pgmc.Bernoulli(logits=m.param("b", 2)))
    with pytest.raises(pgmc.IntractableError, match=r"v has a Bernoulli factor.*Use fit with ExactLikelihood"):
        pgmc.fit_closed_form(m, {"v": np.zeros((3, 2))})
    m = pgmc.Model("energy")
    x = m.real("x", 2)
    m.energy((x**2).sum() / 2 - m.param("b", 2) @ x)
    with pytest.raises(pgmc.IntractableError, match="x has no directed factor"):
        pgmc.fit_closed_form(m, {"x": np.zeros((3, 2))})


def test_an_exact_fit_has_no_precision() -> None:
    with pytest.raises(pgmc.NumericsError, match="fits the data exactly"):
        pgmc.fit_closed_form(autoregressive(2), {"x": np.zeros((5, 2))})
