"""The sigmoid belief net with one hidden layer: causes are drawn first, and what they explain after them.

    p(h, v) = Π_j σ((2 h_j - 1) c_j) · Π_i σ((2 v_i - 1)(b_i + Σ_j W_ij h_j))

equation (20.70) of *Deep Learning* [goodfellow2016]_ in two layers. Sampling is one pass from h to v, and log Z
is 0. Given v, hidden units explain one another away: P(h_j = 1 | v, other h) holds a difference of softplus functions
for every visible unit, so they are drawn one after the other.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.10.1.
.. [neal1992] Neal (1992), Connectionist learning of belief networks.
"""

import pgmc


def model(visible: int = 784, hidden: int = 200) -> pgmc.Model:
    """The model with so many visible and hidden units."""
    m = pgmc.Model("sigmoid_belief_net")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    W, b, c = m.param("W", (visible, hidden)), m.param("b", visible), m.param("c", hidden)
    m.directed(h, pgmc.Bernoulli(logits=c))
    m.directed(v, pgmc.Bernoulli(logits=W @ h + b))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
