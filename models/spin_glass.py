"""Spins on a sparse graph that a list of edges gives, with a coupling for every edge.

    E(s) = -Σ_e J_e s_a(e) s_b(e) - Σ_i f_i s_i

with a(e) and b(e) the ends of edge e. By default every spin has a few random partners, a small part of the pairs that
the model of [sherrington1975]_ couples. P(s_i = +1 | rest) = σ(2 f_i + 2 Σ_e∋i J_e · the other end): a sweep has a
block for every colour of the graph.

References
----------
.. [sherrington1975] Sherrington and Kirkpatrick (1975), Solvable model of a spin-glass.
"""

import numpy as np

import pgmc


def model(visible: int = 1024, partners: int = 2) -> pgmc.Model:
    """The model with so many spins, each the first end of so many edges."""
    first = np.repeat(np.arange(visible), partners)
    hop = np.random.default_rng(0).integers(1, visible, size=first.size)
    pairs = np.unique(np.sort(np.stack([first, (first + hop) % visible], axis=1), axis=1), axis=0)
    m = pgmc.Model("spin_glass")
    s, f = m.spin("s", visible), m.param("f", visible)
    e, a, b = m.edges(pairs)
    J = m.param("J", len(pairs))
    m.energy(-J[e] * s[a] * s[b] - f @ s)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
