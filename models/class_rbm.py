"""The restricted Boltzmann machine over an image and its class: a softmax unit y beside the binary visible units.

With y_k = 1 for the class k and 0 for the others,

    E(v, y, h) = -Σ_ij v_i W_ij h_j - Σ_kj y_k U_kj h_j - Σ_i b_i v_i - Σ_k d_k y_k - Σ_j c_j h_j,

equation (1) of [larochelle2008]_. Summing out h leaves F(v, y), and p(y | v) = softmax_y(-F(v, y)) exactly.

References
----------
.. [larochelle2008] Larochelle and Bengio (2008), Classification using discriminative restricted Boltzmann machines.
"""

import pgmc


def model(visible: int = 784, classes: int = 10, hidden: int = 500) -> pgmc.Model:
    """The model with so many visible units, classes and hidden units."""
    i, k, j = pgmc.indices("i k j")
    m = pgmc.Model("class_rbm")
    v, y, h = m.binary("v", visible), m.categorical("y", states=classes), m.binary("h", hidden)
    W, U = m.param("W", (visible, hidden)), m.param("U", (classes, hidden))
    b, d, c = m.param("b", visible), m.param("d", classes), m.param("c", hidden)
    m.energy(-v[i] * W[i, j] * h[j] - y[k] * U[k, j] * h[j] - b[i] * v[i] - d[k] * y[k] - c[j] * h[j])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
