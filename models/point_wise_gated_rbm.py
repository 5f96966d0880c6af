"""The point-wise gated restricted Boltzmann machine: a switch for each pixel chooses which hidden units explain it.

    E(v, z, h, g) = -Σ_ij z_i v_i W_ij h_j - Σ_ij (1 - z_i) v_i U_ij g_j - aᵀz - bᵀv - cᵀh - dᵀg

with two groups of hidden units [sohn2013]_: where z_i = 1 the pixel is left to h, else to g. Given the images and the
switches h and g are independent, which leaves three blocks.

References
----------
.. [sohn2013] Sohn, Zhou, Lee and Lee (2013), Learning and selecting features jointly with point-wise gated Boltzmann
   machines.
"""

import pgmc


def model(visible: int = 784, hidden: int = 200, others: int = 200) -> pgmc.Model:
    """The model with so many pixels, each with its switch, and so many hidden units in each group."""
    i, j = pgmc.indices("i j")
    m = pgmc.Model("point_wise_gated_rbm")
    v, z = m.binary("v", visible), m.binary("z", visible)
    h, g = m.binary("h", hidden), m.binary("g", others)
    W, U = m.param("W", (visible, hidden)), m.param("U", (visible, others))
    a, b, c, d = m.param("a", visible), m.param("b", visible), m.param("c", hidden), m.param("d", others)
    m.energy(-z[i] * v[i] * W[i, j] * h[j] - (1 - z[i]) * v[i] * U[i, j] * g[j])
    m.energy(-a @ z - b @ v - c @ h - d @ g)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
