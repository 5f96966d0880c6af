"""The restricted Boltzmann machine on spins: units are -1 or +1, as in a spin glass on a bipartite graph.

    E(s, t) = -Σ_ij s_i J_ij t_j - Σ_i a_i s_i - Σ_j d_j t_j

with the signs of the Ising model of two layers. P(t_j = +1 | s) = σ(2 (d_j + Σ_i J_ij s_i)): flipping a spin changes
the energy by twice its field. Summing out t leaves F(s) = -Σ_i a_i s_i - Σ_j log 2 cosh(d_j + Σ_i J_ij s_i).
Replacing s by 2v - 1 and t by 2h - 1 gives the binary machine of equation (20.5) of *Deep Learning* [goodfellow2016]_
with W = 4J, b_i = 2 a_i - 2 Σ_j J_ij and c_j = 2 d_j - 2 Σ_i J_ij, up to a constant.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.2.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500) -> pgmc.Model:
    """The model with so many visible and hidden spins."""
    m = pgmc.Model("spin_rbm")
    s = m.spin("s", visible)
    t = m.spin("t", hidden)
    J = m.param("J", (visible, hidden))
    a, d = m.param("a", visible), m.param("d", hidden)
    m.energy(-(s @ J @ t) - a @ s - d @ t)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
