"""The restricted Boltzmann machine gated by a class: each class has weights of its own between v and h.

With y_k = 1 for the class k and 0 for the others,

    E(v, y, h) = -Σ_ikj v_i y_k h_j W_ikj - Σ_i b_i v_i - Σ_k d_k y_k - Σ_j c_j h_j

after the top layer of [nair2009]_. P(y = k | v, h) = softmax_k(d_k + Σ_ij v_i h_j W_ikj), and p(y | v) is exact with
h summed out.

References
----------
.. [nair2009] Nair and Hinton (2009), 3D object recognition with deep belief nets.
"""

import pgmc


def model(visible: int = 784, classes: int = 10, hidden: int = 100) -> pgmc.Model:
    """The model with so many visible units, classes and hidden units."""
    i, k, j = pgmc.indices("i k j")
    m = pgmc.Model("class_gated_rbm")
    v, y, h = m.binary("v", visible), m.categorical("y", states=classes), m.binary("h", hidden)
    W = m.param("W", (visible, classes, hidden))
    b, d, c = m.param("b", visible), m.param("d", classes), m.param("c", hidden)
    m.energy(-v[i] * y[k] * h[j] * W[i, k, j] - b[i] * v[i] - d[k] * y[k] - c[j] * h[j])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
