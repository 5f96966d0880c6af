"""The deep belief net with two hidden layers: an undirected pair on top, a directed layer below.

    p(v, h1, h2) = exp(h1ᵀW2 h2 + c1ᵀh1 + c2ᵀh2) / Z · Π_i σ((2 v_i - 1)(b_i + Σ_j W1_ij h1_j))

Equations (20.17) to (20.19) of *Deep Learning* [goodfellow2016]_. It is sampled by sweeps of the top pair and one pass
down, and Z is that of the top pair alone.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.3.
.. [hinton2006] Hinton, Osindero and Teh (2006), A fast learning algorithm for deep belief nets.
"""

import pgmc


def model(visible: int = 784, hidden: int = 500, top: int = 500) -> pgmc.Model:
    """The model with so many visible units, and so many in the first and second hidden layer."""
    m = pgmc.Model("deep_belief_net")
    v, h1, h2 = m.binary("v", visible), m.binary("h1", hidden), m.binary("h2", top)
    W1, W2 = m.param("W1", (visible, hidden)), m.param("W2", (hidden, top))
    b, c1, c2 = m.param("b", visible), m.param("c1", hidden), m.param("c2", top)
    m.energy(-(h1 @ W2 @ h2) - c1 @ h1 - c2 @ h2)
    m.directed(v, pgmc.Bernoulli(logits=W1 @ h1 + b))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
