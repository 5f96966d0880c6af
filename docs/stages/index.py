# %% [markdown]
# # The stages of one model
#
# What happens between the energy you write and the code that runs. Each part belongs to one folder of `pgmc/`; a model
# passes through them in this order.
#
# | page | folder | what it makes |
# | --- | --- | --- |
# | 1. [The specification](specification.md) | `dsl/` | declarations and terms, checked where they are written |
# | 2. [The representation](representation.md) | `ir/` | frozen indexed terms, a canonical text, an interpreter |
# | 3. [The structure](structure.md) | `analysis/` | the interaction graph, blocks, colours |
# | 4. [The mathematics](derivation.md) | `derivation/` | conditionals, free energies, mean field, gradients, refusals |
# | 5. [The order of work](schedule.md) | `schedule/` | sweeps and passes |
# | 6. [The code](code.md) | `codegen/` | array program, loop program, text |
# | 7. [Running](running.md) | `runtime/` | kernels, random numbers, chains |
#
# `compiler.py` is the whole of it, one line a stage.

# %% [markdown]
# ## All of it at once
#
# `program.trace()` is every stage of a kernel as one report, and `pgmc show NAME --trace` prints it. A notebook shows
# sections that open, and `.html()` is a page of its own.

# %% The trace of a sweep
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)
program = pgmc.compile(m)
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
