# %% [markdown]
# # Interchange: other libraries' models in, samples out
#
# What is read becomes an ordinary specification with its parameters, which can be extended, sampled, trained and
# proved. What is sampled goes to other libraries with its axes, labels and energies. Each needs its library only when
# it is used: `pip install "pgmc[diag,ising]"` has all that this page runs on.

# %% A quadratic model of dimod, spins or binary units
import dimod
import networkx as nx
import numpy as np
from sklearn.neural_network import BernoulliRBM

import pgmc

bqm = dimod.generators.frustrated_loop(nx.grid_2d_graph(4, 4), 6, seed=0)
m, params, labels = pgmc.from_dimod(bqm)
p = pgmc.compile(m, dtype="float64", backend="numpy")
print(p.equations()["energy"])

# %% [markdown]
# Signs and the offset are dimod's, and samples go back as a `SampleSet` under its labels. Here they are cooled, and
# the lowest of them is compared with the lowest of all states.

# %% There and back
schedule = np.linspace(0, 4, 100)
cooled = p.sample(params, chains=20, sweeps=100, inverse_temperature=schedule, seed=0)
found = cooled.to_dimod(labels["s"])
print(found.first.energy, dimod.ExactSolver().sample(bqm).first.energy)

# %% A graph of networkx: couplings on its edges, biases on its nodes
graph = nx.path_graph(["a", "b", "c"])
graph.edges["a", "b"]["weight"] = -0.5
graph.nodes["c"]["bias"] = 1.0
chain = pgmc.from_networkx(graph)
print(chain.params, chain.labels)

# %% The weights of scikit-learn's machine: an exact likelihood beside its pseudo-likelihood
X = (np.random.default_rng(0).random((200, 6)) < 0.3).astype(float)
machine = BernoulliRBM(n_components=4, n_iter=20, random_state=0).fit(X)
m, params, _ = pgmc.from_sklearn(machine)
nats = pgmc.compile(m, backend="numpy").log_likelihood(params, {"v": X})
print(f"{nats.mean():.2f} nats a row; the pseudo-likelihood of scikit-learn: {machine.score_samples(X).mean():.2f}")

# %% [markdown]
# `pgmc.read_bif(path)` reads a discrete Bayesian network: a categorical variable for each of the file's, with a
# table of logits, and the names of its states in `labels`.
#
# Recorded chains go to ArviZ with axes of chains and draws, the energy of every draw under `sample_stats`; or to a
# table of pandas, with a column for each unit if it is asked for.

# %% ArviZ and pandas
p = pgmc.compile(m, backend="numpy")
samples = p.sample(params, chains=4, sweeps=50, keep=20, seed=0)
tree = samples.to_arviz()
print({name: dict(group.sizes) for name, group in tree.children.items()})
print(samples.to_pandas().groupby("chain").mean().round(2))
