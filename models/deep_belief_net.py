"""The deep belief net with two hidden layers: an undirected pair on top, a directed layer below.

    p(v, h1, h2) = exp(h1ᵀW2 h2 + c1ᵀh1 + c2ᵀh2) / Z · Π_i σ((2 v_i - 1)(b_i + Σ_j W1_ij h1_j))
    q(h1, h2 | v) = Π_j σ((2 h1_j - 1)(d1_j + Σ_i R1_ij v_i)) · Π_k σ((2 h2_k - 1)(d2_k + Σ_j R2_jk h1_j))

Equations (20.17) to (20.19) of *Deep Learning* [goodfellow2016]_. It is sampled by sweeps of the top pair and one pass
down, and Z is that of the top pair alone. The guide q is the up-pass (20.22) and (20.23): ``fit_layerwise`` trains one
pair of layers after the other [hinton2006]_ and gives q the weights of each, ``UpDown`` trains all of them together.

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
    q = m.guide()
    R1, R2 = q.param("R1", (visible, hidden)), q.param("R2", (hidden, top))
    d1, d2 = q.param("d1", hidden), q.param("d2", top)
    q.directed(h1, pgmc.Bernoulli(logits=v @ R1 + d1))
    q.directed(h2, pgmc.Bernoulli(logits=h1 @ R2 + d2))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
