"""The Helmholtz machine: a sigmoid belief net and, running the other way, a net that infers its causes.

    p(h, v) = Π_j σ((2 h_j - 1) c_j) · Π_i σ((2 v_i - 1)(b_i + Σ_j W_ij h_j))
    q(h | v) = Π_j σ((2 h_j - 1)(d_j + Σ_i R_ij v_i))

Inference in p is hard (section 20.10.1 of *Deep Learning* [goodfellow2016]_). Here q proposes the causes, wake-sleep
[hinton1995]_ or reweighted wake-sleep trains both, and importance sampling through q estimates log p(v).

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.10.1.
.. [hinton1995] Hinton, Dayan, Frey and Neal (1995), The wake-sleep algorithm for unsupervised neural networks.
"""

import pgmc


def model(visible: int = 784, hidden: int = 200) -> pgmc.Model:
    """The model with so many visible and hidden units."""
    m = pgmc.Model("helmholtz_machine")
    v, h = m.binary("v", visible), m.binary("h", hidden)
    W, b, c = m.param("W", (visible, hidden)), m.param("b", visible), m.param("c", hidden)
    m.directed(h, pgmc.Bernoulli(logits=c))
    m.directed(v, pgmc.Bernoulli(logits=W @ h + b))
    q = m.guide()
    R, d = q.param("R", (visible, hidden)), q.param("d", hidden)
    q.directed(h, pgmc.Bernoulli(logits=v @ R + d))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
