# %% [markdown]
# # 7. Running: `pgmc/runtime`
#
# A kernel is compiled when it is first needed, from a file in the cache that a debugger can step through. The next
# process finds it there, and imports neither sympy nor networkx.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)

# %% From stages to states
p = pgmc.compile(m)
params = p.init(seed=0)
samples = p.sample(params, chains=4, sweeps=10, seed=1)
print(samples["v"][:, 0])

# %% [markdown]
# A random number is a hash of the seed, the purpose, the chain, the sweep and the unit. Nothing depends on how chains
# are dealt to threads, so that the same seed gives the same bits on one thread and on many, and a run that was cut in
# two gives those of a run in one piece.

# %% The same bits, whatever the threads and the cuts
one, two = (p.sample(params, chains=4, sweeps=10, seed=1, threads=threads) for threads in (1, 2))
assert all((one[name] == two[name]).all() for name in one)

first = p.sample(params, chains=4, sweeps=6, seed=1)
rest = p.sample(params, chains=4, sweeps=4, init=first.last, seed=1)
assert all((rest[name] == one[name]).all() for name in one)

# %% The reference: the same answers, interpreted in NumPy
reference = pgmc.compile(m, dtype="float64", backend="numpy")
states = {name: values[:, 0] for name, values in samples.items()}
print(p.energy(params, states), reference.energy(params, states))

# %% Where a kernel came from
print(p.report().kernels[0])

# %% [markdown]
# `pgmc cache info` says where kernels lie and how many there are, `pgmc doctor` whether everything around them is well.
# The switches of [the overview](index.md) show kernels while they are made.
