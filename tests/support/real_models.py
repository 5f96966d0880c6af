"""Small models with real units of many kinds."""

from __future__ import annotations

import pgmc


def visible_and_hidden() -> pgmc.Model:
    m = pgmc.Model("visible_and_hidden")
    v, h = m.real("v", 3), m.binary("h", 2)
    W, b, c = m.param("W", (3, 2)), m.param("b", 3), m.param("c", 2)
    beta = m.param("beta", 3, positive=True)
    m.energy((beta * v**2).sum() / 2 - (v * beta) @ W @ h - b @ v - c @ h)
    return m


def scaled_by_units() -> pgmc.Model:
    """The precision depends on binary units, on an input and on a constant array; the mean on spins and a label."""
    m = pgmc.Model("scaled_by_units")
    x, h, s = m.real("x", 2), m.binary("h", 2), m.spin("s", 2)
    y = m.categorical("y", states=3)
    u = m.input("u", 2)
    a, U = m.param("a", (2, 2), positive=True), m.param("U", (2, 3))
    i, j = pgmc.indices("i j")
    m.energy((0.5 + u[i] ** 2) * x[i] ** 2 + a[i, j] * h[j] * x[i] ** 2 - (x @ s) - (x @ U @ y) + (h @ s) / 3)
    return m


def chain() -> pgmc.Model:
    """Real units that interact with their neighbours, and with a binary unit."""
    m = pgmc.Model("chain")
    x, h = m.real("x", 4, boundary="periodic"), m.binary("h", 2)
    k, W = m.param("k", init=0.4), m.param("W", (4, 2))
    i = pgmc.indices("i")
    m.energy(x[i] ** 2 - k * x[i] * x[i + 1])
    m.energy(-(x @ W @ h))
    return m


def shifted_power() -> pgmc.Model:
    """The cubes cancel, so that the energy is quadratic after all."""
    m = pgmc.Model("shifted_power")
    x, a = m.real("x", 2), m.param("a", 2)
    h = m.binary("h", 2)
    m.energy(((x + a) ** 3).sum() - (x**3).sum() - (3 * a * x**2).sum() + (x**2).sum() - x @ h)
    return m


MODELS = [visible_and_hidden, scaled_by_units, chain, shifted_power]
