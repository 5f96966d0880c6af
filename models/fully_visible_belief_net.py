"""The fully visible sigmoid belief net: each unit depends on those before it, and on nothing hidden.

    p(x) = Π_i σ((2 x_i - 1)(b_i + Σ_{j<i} W_ij x_j))

The logistic auto-regressive net of section 20.10.8 of *Deep Learning* [goodfellow2016]_. Its log-likelihood is exact
at any size, and its units are sampled one after the other.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.10.8.
.. [frey1998] Frey (1998), Graphical models for machine learning and digital communication.
"""

import pgmc


def model(visible: int = 784) -> pgmc.Model:
    """The model with so many units."""
    i, j = pgmc.indices("i j")
    m = pgmc.Model("fully_visible_belief_net")
    x = m.binary("x", visible)
    W, b = m.param("W", (visible, visible)), m.param("b", visible)
    m.directed(x[i], pgmc.Bernoulli(logits=b[i] + pgmc.Sum(W[i, j] * x[j], j, where=j < i)))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
