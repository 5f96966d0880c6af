"""The text of the helper functions that generated modules include.

Helpers are scalar. Numba inlines them, and LLVM turns a loop such as

    for j in range(500):
        h[n, j] = draw_bernoulli(field[n, j] + c[j], r0, r1, site_h + j)

into vector code, so that no separate row sampler is needed. Three things make that possible in float32: a
random word that is a pure function of its arguments, an exponential made of multiplications, and a comparison
in place of a division. Helpers take and return the program's dtype; sites, chains and sweeps are integers.

Random numbers follow one law in every backend (``pgmc.runtime.streams`` has it in NumPy). The 128-bit key of
the stream, the chain and the sweep give a row key (r0, r1); the row key and the number of the unit, its site,
give one 64-bit word. The mixing function is the finaliser of splitmix64.

References
----------
.. [steele2014] Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pgmc.codegen.helper import Helper
from pgmc.codegen.prelude_continuous import CONTINUOUS, NORMAL_FLOAT32, NORMAL_FLOAT64
from pgmc.codegen.prelude_counts import COUNTS
from pgmc.codegen.prelude_functions import FUNCTIONS, FUNCTIONS_FLOAT32, FUNCTIONS_FLOAT64
from pgmc.codegen.prelude_products import PRODUCTS
from pgmc.codegen.prelude_random import GRID_FLOAT32, GRID_FLOAT64, RANDOM
from pgmc.codegen.prelude_rows import ROWS
from pgmc.codegen.prelude_slice import SLICE
from pgmc.codegen.prelude_states import STATES
from pgmc.codegen.prelude_trajectories import TRAJECTORIES
from pgmc.errors import InternalError

Dtype = Literal["float32", "float64"]

IMPORTS = """\
import math

import numpy as np
from numba import njit
"""


# "contract" allows x*y + z in one rounding and nothing else: reassociation would undo a rounding in exp_neg.
_HELPER = Helper('helper = njit(nogil=True, fastmath={"contract"}, error_model="numpy")\n')

_DRAWS = STATES | CONTINUOUS | COUNTS | SLICE | TRAJECTORIES
_SHARED = {"helper": _HELPER} | RANDOM | FUNCTIONS | _DRAWS | PRODUCTS | ROWS
_HELPERS = {
    "float32": _SHARED | GRID_FLOAT32 | FUNCTIONS_FLOAT32 | NORMAL_FLOAT32,
    "float64": _SHARED | GRID_FLOAT64 | FUNCTIONS_FLOAT64 | NORMAL_FLOAT64,
}
_WORDS = {
    "float32": {"FLOAT": "np.float32", "GRID_SIZE": "2**24", "GRID_STEP": "2**-24", "ITEM_SIZE": "4"},
    "float64": {"FLOAT": "np.float64", "GRID_SIZE": "2**53", "GRID_STEP": "2**-53", "ITEM_SIZE": "8"},
}


def helper_names(dtype: Dtype) -> tuple[str, ...]:
    """The helpers that a generated module may include."""
    return tuple(name for name in _HELPERS[dtype] if name not in ("helper", "summing"))


def prelude(names: Iterable[str], dtype: Dtype) -> str:
    """The text of the wanted helpers and of what they use, callees first; needs ``IMPORTS`` above it."""
    table = _HELPERS[dtype]
    ordered: dict[str, None] = {}

    def include(name: str) -> None:
        if name not in table:
            raise InternalError(f"codegen/prelude.py: there is no helper {name!r}. Please report this.")
        if name not in ordered:
            for used in table[name].uses:
                include(used)
            ordered[name] = None

    for name in names:
        include(name)
    text = "\n\n".join(table[name].text for name in ordered)
    for word, value in _WORDS[dtype].items():
        text = text.replace(word, value)
    return text
