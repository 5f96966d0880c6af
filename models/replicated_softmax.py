"""The replicated softmax model of word counts: topics for documents of different lengths.

v_i counts how often word i stands in a document of D words, which is given; with the base measure 1/Π v_i!,

    E(v, h) = -Σ_ij v_i W_ij h_j - Σ_i b_i v_i - D Σ_j c_j h_j.

P(h_j = 1 | v) = σ(D c_j + Σ_i W_ij v_i), and given h the words are D draws from softmax_i(b_i + Σ_j W_ij h_j):
equations (4), (6) and (7) of [salakhutdinov2009]_. Summing out h leaves a softplus for each topic, summing out v
leaves D log Σ_i exp(b_i + Σ_j W_ij h_j).

References
----------
.. [salakhutdinov2009] Salakhutdinov and Hinton (2009), Replicated softmax: an undirected topic model.
"""

import pgmc


def model(words: int = 2000, topics: int = 50) -> pgmc.Model:
    """The model with a vocabulary of so many words, and so many topics."""
    m = pgmc.Model("replicated_softmax")
    D = m.input("D")
    v, h = m.count("v", words, total=D), m.binary("h", topics)
    W, b, c = m.param("W", (words, topics)), m.param("b", words), m.param("c", topics)
    m.energy(-(v @ W @ h) - b @ v - D * (c @ h))
    return m


if __name__ == "__main__":
    from pgmc.cli import run_spec

    run_spec(__file__)
