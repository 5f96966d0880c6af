"""The variational auto-encoder: a network makes an image of a normal code, and another infers the code of an image.

    p(z, x) = N(z; 0, I) · Π_i σ((2 x_i - 1) η_i),   η = U·tanh(V z + c) + b
    q(z | x) = Π_k N(z_k; μ_k, σ_k²),                μ = M g + m, log σ = S g + s, g = tanh(R x + r)

A draw from q is μ + σ·ε with normal noise ε, so that the bound E_q[log p(x | z)] - KL(q ‖ p) has a gradient through
the draws (equations 20.76 to 20.79 of *Deep Learning* [goodfellow2016]_, [kingma2014]_); the divergence is in closed
form. Importance sampling through q estimates log p(x) [burda2016]_.

References
----------
.. [goodfellow2016] Goodfellow, Bengio and Courville (2016), Deep learning, section 20.10.3.
.. [kingma2014] Kingma and Welling (2014), Auto-encoding variational Bayes.
.. [burda2016] Burda, Grosse and Salakhutdinov (2016), Importance weighted autoencoders.
"""

import pgmc


def model(visible: int = 784, hidden: int = 200, code: int = 50) -> pgmc.Model:
    """The model with so many pixels, hidden units in either network, and numbers in a code."""
    m = pgmc.Model("variational_autoencoder")
    x, z = m.binary("x", visible), m.real("z", code)
    V, c = m.param("V", (hidden, code)), m.param("c", hidden)
    U, b = m.param("U", (visible, hidden)), m.param("b", visible)
    m.directed(z, pgmc.Normal(mean=0))
    a = m.define("a", pgmc.tanh(V @ z + c))
    m.directed(x, pgmc.Bernoulli(logits=U @ a + b))
    q = m.guide()
    R, r = q.param("R", (hidden, visible)), q.param("r", hidden)
    M, mu, S, s = q.param("M", (code, hidden)), q.param("mu", code), q.param("S", (code, hidden)), q.param("s", code)
    g = q.define("g", pgmc.tanh(R @ x + r))
    q.directed(z, pgmc.Normal(mean=M @ g + mu, scale=pgmc.exp(S @ g + s)))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
