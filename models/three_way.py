"""The Boltzmann machine of third order: every triple of a unit of x, one of y and one of h has a weight.

    E(x, y, h) = -Σ_ijk x_i y_j h_k W_ijk - bᵀx - dᵀy - cᵀh

(the higher-order machines of [sejnowski1987]_; *Deep Learning* [goodfellow2016]_, section 20.8). A unit is still
Bernoulli given the others, P(h_k = 1 | x, y) = σ(c_k + Σ_ij x_i y_j W_ijk), and a sweep has a block for each of the
three groups.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.8.
.. [sejnowski1987] Sejnowski (1987), Higher-order Boltzmann machines.
"""

import pgmc


def model(visible: int = 256, gates: int = 256, hidden: int = 64) -> pgmc.Model:
    """The model with so many units in x, y and h."""
    m = pgmc.Model("three_way")
    x, y, h = m.binary("x", visible), m.binary("y", gates), m.binary("h", hidden)
    W = m.param("W", (visible, gates, hidden))
    b, d, c = m.param("b", visible), m.param("d", gates), m.param("c", hidden)
    m.energy(-pgmc.einsum("i,j,k,ijk->", x, y, h, W) - b @ x - d @ y - c @ h)
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
