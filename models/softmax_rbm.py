"""The restricted Boltzmann machine with categorical visible units: each takes one of K states.

With v_ik = 1 where unit i is in state k and 0 elsewhere,

    E(v, h) = -Σ_ikj v_ik W_ikj h_j - Σ_ik b_ik v_ik - Σ_j c_j h_j.

P(v_i = k | h) = softmax_k(b_ik + Σ_j W_ikj h_j) and P(h_j = 1 | v) = σ(c_j + Σ_ik W_ikj v_ik), equations (1) and (2)
of [salakhutdinov2007]_. Unlike there, each unit has weights of its own and none is missing.

References
----------
.. [salakhutdinov2007] Salakhutdinov, Mnih and Hinton (2007), Restricted Boltzmann machines for collaborative
   filtering.
"""

import pgmc


def model(visible: int = 784, states: int = 4, hidden: int = 500) -> pgmc.Model:
    """The model with so many visible units of so many states, and so many hidden units."""
    i, k, j = pgmc.indices("i k j")
    m = pgmc.Model("softmax_rbm")
    v = m.categorical("v", visible, states=states)
    h = m.binary("h", hidden)
    W = m.param("W", (visible, states, hidden))
    b, c = m.param("b", (visible, states)), m.param("c", hidden)
    m.energy(-v[i, k] * W[i, k, j] * h[j] - b[i, k] * v[i, k] - c[j] * h[j])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
