"""An RBM with rectified hidden units: real visible units, and hidden units that are normal and positive.

    E(v, h) = ½ Σ_i β_i v_i² + ½ Σ_j h_j² - vᵀW h - aᵀv - bᵀh,    h > 0

Given h the visible units are normal. Given v a hidden unit is normal with mean b_j + Σ_i v_i W_ij and variance 1, cut
at 0: the rectified counterpart of the noisy linear units of [nair2010]_. The couplings must leave the energy bounded
below, which weak weights do.

References
----------
.. [nair2010] Nair and Hinton (2010), Rectified linear units improve restricted Boltzmann machines.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500) -> pgmc.Model:
    """The model with so many real visible and rectified hidden units."""
    m = pgmc.Model("rectified_rbm")
    v, h = m.real("v", visible), m.positive("h", hidden)
    W, beta = m.param("W", (visible, hidden)), m.param("beta", visible, positive=True)
    a, b = m.param("a", visible), m.param("b", hidden)
    m.energy((beta * v**2).sum() / 2 + (h**2).sum() / 2 - v @ W @ h - a @ v - b @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
