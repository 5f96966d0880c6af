"""Small models with units of no family."""

from __future__ import annotations

import pgmc


def quartic() -> pgmc.Model:
    """Double wells that binary units tilt."""
    m = pgmc.Model("quartic")
    x, h = m.real("x", 3), m.binary("h", 2)
    W, a = m.param("W", (3, 2)), m.param("a", 3)
    m.energy((x**4).sum() / 4 - (x @ x) / 2 - a @ x - x @ W @ h)
    return m


def field() -> pgmc.Model:
    """A field on a lattice: units of two colours."""
    m = pgmc.Model("field")
    x = m.real("x", (4, 4), boundary="periodic")
    k, g = m.param("k", init=0.4), m.param("g", init=0.5, positive=True)
    i, j = pgmc.indices("i j")
    m.energy(g * x[i, j] ** 4 + x[i, j] ** 2 / 2 - k * x[i, j] * (x[i + 1, j] + x[i, j + 1]))
    return m


def bent() -> pgmc.Model:
    """Units that interact inside functions, one after the other."""
    m = pgmc.Model("bent")
    x, s = m.real("x", 3), m.spin("s", 2)
    W = m.param("W", (3, 2))
    m.energy((x @ x) / 2 - pgmc.tanh(x @ W) @ s + pgmc.softplus(x).sum())
    return m


def rates() -> pgmc.Model:
    """Positive units, beside normal and binary ones."""
    m = pgmc.Model("rates")
    z, y, h = m.positive("z", 3), m.real("y", 2), m.binary("h", 2)
    W = m.param("W", (3, 2))
    m.energy((z**2).sum() + (1 / z).sum() + pgmc.log(z).sum() / 2 - z @ W @ h + (y @ y) / 2 - z.sum() * y.sum() / 10)
    return m


GENERIC = [quartic, field, bent, rates]
