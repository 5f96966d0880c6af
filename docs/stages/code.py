# %% [markdown]
# # 6. Code: `pgmc/codegen`
#
# First the array program: whole arrays, contractions, maps and draws. Then the loop program, where an array is a buffer
# and a contraction is a matrix product or loops. The NumPy printer reads the first, the Numba printer the second.

# %% The example of these pages
import pgmc

m = pgmc.Model("example")
v, h = m.binary("v", 4), m.spin("h", 3)
W, b = m.param("W", (4, 3)), m.param("b", 4)
m.energy(-(v @ W @ h) - b @ v)

# %% The array program
from pgmc.compiler import Compiler
from pgmc.ir.queries import FreeEnergy, Sweep

compiler = Compiler(m.build())
sweep = Sweep(("v", "h"))
stages = compiler.stages(sweep)
print(stages.array_program)

# %% The same as NumPy, to be read
print(compiler.numpy_source(sweep))

# %% The loop program, in outline
from pgmc.codegen.outline import outline

print(outline(stages.loop_program))

# %% The source, without its helpers
source = stages.module.source
print(source[source.rindex("@njit") :])

# %% [markdown]
# Arrays have an axis of examples or chains in front (`n`). Loop variables are your letters. A sum that both sides of a
# product need is computed once; where a law is linear in units that come one after another, the fields of a block of
# them are one product of matrices.

# %% The kernel of another query
free_energy = compiler.stages(FreeEnergy(("v",))).module.source
print(free_energy[free_energy.rindex("@njit") :])

# %% [markdown]
# How expressions are spelled is a class: [how to add a printer](../extending/printer.md). Next:
# [running](running.md).
