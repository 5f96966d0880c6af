"""The Boltzmann machine of third order with factored weights: W_ijk = Σ_f A_if B_jf C_kf.

    E(x, y, h) = -Σ_f (Σ_i x_i A_if) (Σ_j y_j B_jf) (Σ_k h_k C_kf) - bᵀx - dᵀy - cᵀh

after equation (3) of [memisevic2010]_. The products of sums stay as they are: P(h_k = 1 | x, y) = σ(c_k + Σ_f C_kf
(Σ_i x_i A_if) (Σ_j y_j B_jf)) costs a few passes over A, B and C, where all the weights W_ijk would be too many.

References
----------
.. [memisevic2010] Memisevic and Hinton (2010), Learning to represent spatial transformations with factored higher-order
   Boltzmann machines.
"""

import pgmc


def model(visible: int = 784, gates: int = 784, hidden: int = 200, factors: int = 100) -> pgmc.Model:
    """The model with so many units in x, y and h, and so many factors."""
    i, j, k, f = pgmc.indices("i j k f")
    m = pgmc.Model("factored_three_way")
    x, y, h = m.binary("x", visible), m.binary("y", gates), m.binary("h", hidden)
    A, B, C = m.param("A", (visible, factors)), m.param("B", (gates, factors)), m.param("C", (hidden, factors))
    b, d, c = m.param("b", visible), m.param("d", gates), m.param("c", hidden)
    of_x, of_y, of_h = pgmc.Sum(x[i] * A[i, f], i), pgmc.Sum(y[j] * B[j, f], j), pgmc.Sum(h[k] * C[k, f], k)
    m.energy(-of_x * of_y * of_h - b[i] * x[i] - d[j] * y[j] - c[k] * h[k])
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
