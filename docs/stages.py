# %% [markdown]
# # The stages of one model
#
# What happens between the energy you write and the code that runs, for a machine small enough to read all of it. Each
# part below belongs to one folder of `pgmc/`, in the order in which a model passes through them.

# %% The declaration: pgmc/dsl
import pgmc

m = pgmc.Model("example")
v = m.binary("v", 4)
h = m.spin("h", 3)
W = m.param("W", (4, 3))
b = m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)
print(m)

# %% [markdown]
# Indices say the same, and give the same model. Arrays are notation; the compiler knows only indexed terms.

# %% The same in index notation
i, j = pgmc.indices("i j")
same = pgmc.Model("example")
v, h = same.binary("v", 4), same.spin("h", 3)
W, b = same.param("W", (4, 3)), same.param("b", 4)
same.energy(-v[i] * W[i, j] * h[j] - b[i] * v[i])

from pgmc.ir.canonical import canonical_text, digest

assert digest(m.build()) == digest(same.build())

# %% [markdown]
# ## The intermediate representation: `pgmc/ir`
#
# Frozen nodes over indexed symbols: an energy is a tuple of terms, each summed over its indices. The canonical text
# has no sizes, values or file names in it. Its digest is the key of the compile cache, so 4 units and 40 000 share
# their kernels.

# %% The model as data
from pgmc.ir.nodes import Scalar
from pgmc.ir.rewrite import children


def tree(node: Scalar, depth: int = 0) -> None:
    """Print the kinds of nodes, one below the other."""
    print("    " * depth + type(node).__name__)
    for child in children(node):
        tree(child, depth + 1)


model = m.build()
for term in model.terms:
    print("summed over", *(index.name for index in term.over))
    tree(term.body)
print(model.terms[1].body)

# %% Its canonical text
print(canonical_text(model))

# %% [markdown]
# ## What follows from structure: `pgmc/analysis`
#
# Which units interact decides what can be drawn at once. Nothing here depends on a name of a model.

# %% The interaction graph, its structure and the blocks of a sweep
from pgmc.compiler import Compiler

compiler = Compiler(model)
print(dict(compiler.graph.nodes(data="kind")), list(compiler.graph.edges))
print(compiler.structure)
print(*compiler.blocks(), sep="\n")
print("summed out analytically:", compiler.eliminable())

# %% [markdown]
# ## Mathematics: `pgmc/derivation`
#
# A query asks, an answer is expressions again. The family of a unit is found from its local energy, not from its
# declaration alone, and a quantity that has no closed form is refused with the reason.

# %% Queries and their answers
from pgmc.ir.queries import Conditional, Energy, FreeEnergy, Gradient, Sweep

for query in (
    Energy(),
    Conditional("v"),
    Conditional("h"),
    FreeEnergy(("v",)),
    Gradient(FreeEnergy(("v",)), ("W", "b")),
):
    print(type(query).__name__, compiler.derive(query), sep="\n", end="\n\n")
print(*compiler.law("h").reasons)

# %% A refusal
coupled = pgmc.Model("coupled")
x = coupled.binary("x", 4)
y = coupled.binary("y", 3)
coupled.energy(-(x @ coupled.param("W", (4, 3)) @ y) - y @ coupled.param("S", (3, 3)) @ y)
print(Compiler(coupled.build()).derive(FreeEnergy(("x",))))

# %% [markdown]
# ## The order of work: `pgmc/schedule`
#
# A sweep is a list of block updates; each draws all units of a block that do not interact, or one after another.

# %% A schedule
sweep = Sweep(("v", "h"))
schedule = compiler.answer(sweep)
print(schedule)
print(Compiler(coupled.build()).answer(Sweep(("x", "y"))))

# %% [markdown]
# ## Text: `pgmc/codegen`
#
# First the array program: whole arrays, contractions, maps and draws. Then the loop program, where an array is a buffer
# and a contraction is a matrix product or loops. The NumPy printer reads the first, the Numba printer the second.

# %% The array program, and NumPy
stages = compiler.stages(sweep)
print(stages.array_program)
print(compiler.numpy_source(sweep))

# %% The loop program, in outline
from pgmc.codegen.outline import outline

print(outline(stages.loop_program))

# %% The source, without its helpers
source = stages.module.source
print(source[source.rindex("@njit") :])

# %% [markdown]
# ## Running: `pgmc/runtime`
#
# A kernel is compiled when it is first needed, from a file in the cache that a debugger can step through. The same
# seed gives the same states, whatever the number of threads.

# %% From stages to states
program = pgmc.compile(m)
params = program.init(seed=0)
one, two = (program.sample(params, chains=4, sweeps=10, seed=1, threads=threads) for threads in (1, 2))
assert all((one[name] == two[name]).all() for name in one)
print(one["v"][:, 0])

# %% And the reference: the same answers, interpreted in NumPy
reference = pgmc.compile(m, dtype="float64", backend="numpy")
states = {name: samples[:, 0] for name, samples in one.items()}
print(program.energy(params, states), reference.energy(params, states))

# %% [markdown]
# ## All of it at once
#
# `program.trace()` is every stage of a kernel as one report, and `pgmc show NAME --trace` prints it. A notebook shows
# sections that open, and `.html()` is a page of its own.

# %% The trace of a sweep
trace = program.trace()
print(repr(trace))
print(trace["blocks"])

# %% [markdown]
# ## Switches for looking inside
#
# | variable | what it does |
# | --- | --- |
# | `PGMC_DEBUG=kernels` | a line on the standard error for each kernel: compiled or from the cache, and how long |
# | `PGMC_DEBUG=stages` | every stage of each kernel as it is made; `kernels,stages` does both |
# | `PGMC_CACHE=off` | nothing is kept on disk: every process compiles anew, from memory |
# | `PGMC_CACHE_DIR=FOLDER` | where kernels are kept |
# | `NUMBA_DISABLE_JIT=1` | generated kernels run as plain Python: slow, with warnings of overflows that are meant |
#
# `pgmc.compile(m, backend="numpy")` leaves generated code out altogether: expressions are interpreted as derived.
