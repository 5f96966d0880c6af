"""Models with places such as ``s[x + 1]`` and ``v[2*x + dx]``, and their energies as plain loops over one state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import pgmc

Energy = Callable[[Any, dict[str, Any]], float]
"""The energy of one state from the parameters, both as objects with arrays by name."""

x, y, z, dx, dy, k, c, a = pgmc.indices("x y z dx dy k c a")


@dataclass(frozen=True)
class Case:
    """A model and its energy written a second time."""

    declare: Callable[[pgmc.Model], None]
    energy: Energy

    def model(self) -> pgmc.Model:
        """The model, declared anew."""
        m = pgmc.Model(self.declare.__name__)
        self.declare(m)
        return m


CASES: dict[str, Case] = {}


def case(energy: Energy) -> Callable[[Callable[[pgmc.Model], None]], Callable[[pgmc.Model], None]]:
    """Registers a declaration with its energy."""

    def register(declare: Callable[[pgmc.Model], None]) -> Callable[[pgmc.Model], None]:
        CASES[declare.__name__] = Case(declare, energy)
        return declare

    return register


def softplus(value: float) -> float:
    return float(np.logaddexp(0.0, value))


# ---- open lattices ---------------------------------------------------------------------------------------------------


@case(lambda p, s: -sum(p["J"][i] * s["s"][i] * s["s"][i + 1] for i in range(4)))
def chain_with_a_coupling_for_each_bond(m: pgmc.Model) -> None:
    s, J = m.spin("s", 5), m.param("J", 4)
    m.energy(-J[x] * s[x] * s[x + 1])


@case(lambda p, s: -sum(p["J"][i] * s["s"][i] * s["s"][i + 1] for i in range(4)) - p["h"] * s["s"].sum())
def chain_with_a_coupling_too_many(m: pgmc.Model) -> None:
    s, J, h = m.spin("s", 5), m.param("J", 5), m.param("h")
    m.energy(-J[x] * s[x] * s[x + 1] - h * s[x])


@case(
    lambda p, s: -p["J"] * sum(
        s["s"][i, j] * s["s"][u, w]
        for i in range(2) for j in range(3) for u, w in ((i + 1, j), (i, j + 1)) if u < 2 and w < 3
    )
)  # fmt: skip
def square_with_a_sum_of_neighbours(m: pgmc.Model) -> None:
    s, J = m.spin("s", (2, 3)), m.param("J")
    m.energy(-J * s[x, y] * (s[x + 1, y] + s[x, y + 1]))


@case(
    lambda p, s: -sum(
        p["J"][i, j] * s["s"][i, j] * s["s"][i, (j + 1) % 3] for i in range(2) for j in range(3)
    ) - sum(p["J"][i, j] * s["s"][i, j] * s["s"][i - 1, j] for i in range(1, 2) for j in range(3))
)  # fmt: skip
def cylinder(m: pgmc.Model) -> None:
    s, J = m.spin("s", (2, 3), boundary=("open", "periodic")), m.param("J", (2, 3))
    m.energy(-J[x, y] * s[x, y] * s[x, y + 1] - J[x, y] * s[x, y] * s[x - 1, y])


@case(
    lambda p, s: -sum(
        s["s"][i, j, r] * s["s"][i + u, j + w, r + t] * p["J"][(u, w, t).index(1)]
        for i in range(2) for j in range(2) for r in range(2)
        for u, w, t in ((1, 0, 0), (0, 1, 0), (0, 0, 1)) if i + u < 2 and j + w < 2 and r + t < 2
    )
)  # fmt: skip
def cube(m: pgmc.Model) -> None:
    s, J = m.binary("s", (2, 2, 2)), m.param("J", 3)
    m.energy(
        -s[x, y, z] * (s[x + 1, y, z] * J[0] + s[x, y + 1, z] * J[1])
        - J[2] * s[x, y, z] * s[x, y, z + 1]
    )  # fmt: skip


@case(
    lambda p, s: (
        sum(softplus(p["b"][i] * s["s"][i] + s["s"][i + 1]) for i in range(4))
        + sum((s["s"][i - 2] - p["b"][i]) ** 2 for i in range(2, 5))
    )
)
def functions_of_neighbours(m: pgmc.Model) -> None:
    s, b = m.spin("s", 5), m.param("b", 5)
    m.energy(pgmc.softplus(b[x] * s[x] + s[x + 1]) + (s[x - 2] - b[x]) ** 2)


@case(
    lambda p, s: sum(
        softplus(p["b"][i] + sum(p["K"][d] * s["s"][i + d] for d in range(3) if i + d < 5)) for i in range(5)
    )
)
def sum_of_neighbours_in_a_function(m: pgmc.Model) -> None:
    s, b, K = m.binary("s", 5), m.param("b", 5), m.param("K", 3)
    m.energy(pgmc.softplus(b[x] + pgmc.Sum(K[dx] * s[x + dx], dx)))


@case(lambda p, s: -sum(p["J"][i] * s["s"][i] * s["s"][i + 1] * s["s"][i - 1] for i in range(1, 4)))
def three_in_a_row(m: pgmc.Model) -> None:
    s, J = m.binary("s", 5), m.param("J", 5)
    m.energy(-J[x] * s[x] * s[x + 1] * s[x - 1])


@case(
    lambda p, s: (
        -sum(p["J"][i] * (s["y"][i] == s["y"][i + 1]) for i in range(2))
        - sum(p["U"] * (s["y"][i] + 1 == s["y"][i + 1]) for i in range(2))
    )
)
def labels_on_a_chain(m: pgmc.Model) -> None:
    y_, J, U = m.categorical("y", 3, states=3), m.param("J", 2), m.param("U")
    m.energy(-J[x] * y_[x, k] * y_[x + 1, k] - U * y_[x, k] * y_[x + 1, k + 1])


@case(lambda p, s: -sum(p["T"][i - j + 3] * s["s"][i] * s["h"][j] for i in range(4) for j in range(4)))
def couplings_by_distance(m: pgmc.Model) -> None:
    s, h, T = m.spin("s", 4), m.binary("h", 4), m.param("T", 7)
    m.energy(-T[x - y + 3] * s[x] * h[y])


@case(
    lambda p, s: (
        -sum(p["J"] * s["s"][i] * s["s"][j + 1] for i in range(4) for j in range(3) if i < j)
        - sum(s["s"][i + 1] * s["s"][i + 2] for i in range(2))
    )
)
def offsets_and_relations(m: pgmc.Model) -> None:
    s, J = m.binary("s", 4), m.param("J")
    m.energy(-pgmc.Sum(J * s[x] * s[y + 1], x, y, where=x < y) - s[x + 1] * s[x + 2])


# ---- convolutions ----------------------------------------------------------------------------------------------------


@case(
    lambda p, s: -sum(
        s["h"][u, i, j] * p["K"][u, d, e] * s["v"][i + d, j + e]
        for u in range(2) for i in range(2) for j in range(2) for d in range(2) for e in range(2)
    ) - p["c"] @ s["h"].sum((1, 2)) - p["b"] * s["v"].sum()
)  # fmt: skip
def convolution(m: pgmc.Model) -> None:
    v, h, K = m.binary("v", (3, 3)), m.binary("h", (2, 2, 2)), m.param("K", (2, 2, 2))
    b, bias = m.param("b"), m.param("c", 2)
    m.energy(-h[k, x, y] * K[k, dx, dy] * v[x + dx, y + dy])
    m.energy(-bias[k] * h[k, x, y] - b * v[x, y])


@case(
    lambda p, s: -sum(
        s["h"][u, i] * p["K"][u, w, d] * s["v"][w, i + d]
        for u in range(2) for w in range(2) for i in range(2) for d in range(3)
    )
)  # fmt: skip
def channels(m: pgmc.Model) -> None:
    v, h, K = m.spin("v", (2, 4)), m.binary("h", (2, 2)), m.param("K", (2, 2, 3))
    m.energy(-h[k, x] * K[k, c, dx] * v[c, x + dx])


@case(
    lambda p, s: (
        -sum(s["h"][i] * p["K"][d] * s["v"][i + d - 1] for i in range(5) for d in range(3) if 0 <= i + d - 1 < 5)
    )
)
def convolution_of_the_same_size(m: pgmc.Model) -> None:
    v, h, K = m.binary("v", 5), m.binary("h", 5), m.param("K", 3)
    m.energy(-h[x] * K[dx] * v[x + dx - 1])


@case(lambda p, s: -sum(s["h"][i] * p["K"][d] * s["v"][2 * i + d] for i in range(3) for d in range(3)))
def strides(m: pgmc.Model) -> None:
    v, h, K = m.binary("v", 7), m.spin("h", 3), m.param("K", 3)
    m.energy(-h[x] * K[dx] * v[2 * x + dx])


@case(lambda p, s: sum((sum(p["K"][d] * s["v"][i + d] for d in range(3)) - p["b"]) ** 2 for i in range(4)))
def windows(m: pgmc.Model) -> None:
    v, K, b = m.binary("v", 6), m.param("K", 3), m.param("b")
    m.energy((pgmc.Sum(K[dx] * v[x + dx], dx) - b) ** 2)


@case(
    lambda p, s: (
        -sum(p["W"][i] * s["q"][i] * s["h"][2 * i + e] for i in range(3) for e in range(2))
        - sum(p["u"][e] * s["h"][2 * i + e] for i in range(3) for e in range(2))
    )
)
def blocks(m: pgmc.Model) -> None:
    h, q, W, u = m.binary("h", 6), m.spin("q", 3), m.param("W", 3), m.param("u", 2)
    pair = m.constant("pair", [1.0, 1.0])
    m.energy(-W[x] * q[x] * pair[a] * h[2 * x + a])
    m.energy(-u[a] * h[2 * x + a])


@case(lambda p, s: -sum(s["h"][i] * p["K"][d] * s["v"][(i + d - 1) % 5] for i in range(5) for d in range(3)))
def convolution_round_a_ring(m: pgmc.Model) -> None:
    v, h = m.binary("v", 5, boundary="periodic"), m.binary("h", 5, boundary="periodic")
    K = m.param("K", 3)
    m.energy(-h[x] * K[dx] * v[x + dx - 1])


@case(lambda p, s: -sum(p["K"][d] * s["v"][i] * s["v"][(i + d + 1) % 6] for i in range(6) for d in range(2)))
def distances_round_a_ring(m: pgmc.Model) -> None:
    v, K = m.spin("v", 6, boundary="periodic"), m.param("K", 2)
    m.energy(-K[dx] * v[x] * v[x + dx + 1])
