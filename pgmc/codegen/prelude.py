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
from pgmc.codegen.prelude_products import PRODUCTS
from pgmc.codegen.prelude_rows import ROWS
from pgmc.errors import InternalError

Dtype = Literal["float32", "float64"]

IMPORTS = """\
import math

import numpy as np
from numba import njit
"""


# "contract" allows x*y + z in one rounding and nothing else: reassociation would undo a rounding in exp_neg.
_HELPER = Helper('helper = njit(nogil=True, fastmath={"contract"}, error_model="numpy")\n')

_MIX = Helper(
    '''\
@helper
def mix(z):
    """A bijection of 64-bit words in which every input bit moves every output bit (splitmix64)."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
''',
    ("helper",),
)

_ROW_KEY = Helper(
    '''\
@helper
def row_key(key_0, key_1, chain, sweep):
    """The key of one chain in one sweep, two words."""
    step = np.uint64(0x9E3779B97F4A7C15)
    sweep_step = np.uint64(sweep) * step
    chain_step = np.uint64(chain) * step
    r0 = mix(mix(np.uint64(key_0) + sweep_step) + chain_step)
    r1 = mix(mix(np.uint64(key_1) + sweep_step) + chain_step)
    return r0, r1
''',
    ("mix",),
)

_ROW_KEYS = Helper(
    '''\
@helper
def row_keys(key_0, key_1, first_chain, chains, sweep):
    """The keys of all chains in one sweep."""
    keys_0, keys_1 = np.empty(chains, np.uint64), np.empty(chains, np.uint64)
    for n in range(chains):
        keys_0[n], keys_1[n] = row_key(key_0, key_1, first_chain + n, sweep)
    return keys_0, keys_1
''',
    ("row_key",),
)

_RANDOM_WORD = Helper(
    '''\
@helper
def random_word(r0, r1, site):
    """The 64 random bits of a unit: splitmix64 at the site, with the second key in the middle."""
    z = r0 + np.uint64(site) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9) ^ r1
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
''',
    ("helper",),
)

_RELU = Helper(
    '''\
@helper
def relu(x):
    """max(x, 0)."""
    return max(x, FLOAT(0))
''',
    ("helper",),
)

_WRAP = Helper(
    '''\
@helper
def wrap(place, length):
    """The place on an axis that goes round; the division is only made where the axis ends."""
    return place if 0 <= place < length else place % length
''',
    ("helper",),
)

_XLOGX = Helper(
    '''\
@helper
def xlogx(x):
    """x log x, and 0 where x is 0 (or a rounding error below)."""
    return x * np.log(x) if x > FLOAT(0) else FLOAT(0)
''',
    ("helper",),
)

_LGAMMA = Helper(
    '''\
@helper
def lgamma(x):
    """log |Γ(x)|."""
    return FLOAT(math.lgamma(x))
''',
    ("helper",),
)

_UNIFORM = Helper(
    '''\
@helper
def uniform(r0, r1, site):
    """A uniform number in (0, 1), neither end included."""
    return grid_point(r0, r1, site) * FLOAT(GRID_STEP)
''',
    ("grid_point",),
)

_IS_ON = Helper(
    '''\
@helper
def is_on(u, logit):
    """Whether u / GRID_SIZE < 1 / (1 + exp(-logit)), without the division."""
    return u + u * exp_neg(logit) < FLOAT(GRID_SIZE)
''',
    ("exp_neg",),
)

_DRAW_BERNOULLI = Helper(
    '''\
@helper
def draw_bernoulli(logit, r0, r1, site):
    """1 with probability sigmoid(logit), else 0."""
    return FLOAT(1) if is_on(grid_point(r0, r1, site), logit) else FLOAT(0)
''',
    ("grid_point", "is_on"),
)

_DRAW_SPIN = Helper(
    '''\
@helper
def draw_spin(logit, r0, r1, site):
    """+1 with probability sigmoid(logit), else -1."""
    return FLOAT(1) if is_on(grid_point(r0, r1, site), logit) else FLOAT(-1)
''',
    ("grid_point", "is_on"),
)

# A category of weight 0 leaves the running sum where it was and is never the first to exceed the threshold.
# Rounding may leave the threshold at the total itself; the category that completed the total is then drawn.
_DRAW_CATEGORICAL = Helper(
    '''\
@helper
def draw_categorical(logits, r0, r1, site):
    """State k with probability exp(logits[k]) / Σ exp(logits), in float64 whatever the program's dtype."""
    top = logits[0]
    for k in range(1, logits.shape[0]):
        top = max(top, logits[k])
    total = 0.0
    for k in range(logits.shape[0]):
        total += category_weight(logits[k], top)
    u = np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1)) * 2.0**-53
    running, drawn = 0.0, 0
    for k in range(logits.shape[0]):
        weight = category_weight(logits[k], top)
        if weight > 0.0:
            drawn = k
        running += weight
        if running > u * total:
            break
    return drawn
''',
    ("random_word", "category_weight"),
)

# The order of the states is off, then the units; kept units have infinite logits.
_DRAW_EXCLUSIVE = Helper(
    '''\
@helper
def draw_exclusive(logits, r0, r1, site):
    """At most one 1: place k with probability exp(logits[k]) / (1 + Σ exp(logits)). It replaces the logits."""
    top = FLOAT(0)
    for k in range(logits.shape[0]):
        top = max(top, logits[k])
    running = category_weight(FLOAT(0), top)
    total = running
    for k in range(logits.shape[0]):
        total += category_weight(logits[k], top)
    threshold = total * (np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1)) * 2.0**-53)
    drawn = -1
    for k in range(logits.shape[0]):
        if running > threshold:
            break
        weight = category_weight(logits[k], top)
        if weight > 0.0:
            drawn = k
        running += weight
    for k in range(logits.shape[0]):
        logits[k] = FLOAT(1) if k == drawn else FLOAT(0)
''',
    ("random_word", "category_weight"),
)

_KEPT_LOGIT = Helper(
    '''\
@helper
def kept_logit(value):
    """The logit that draws the value that a unit of an exclusive block keeps."""
    return FLOAT(np.inf) if value > FLOAT(0) else FLOAT(-np.inf)
''',
    ("helper",),
)

_CATEGORY_WEIGHT = Helper(
    '''\
@helper
def category_weight(logit, top):
    """exp(logit - top), and 1 at the top itself even if that is infinite."""
    return 1.0 if logit == top else np.exp(np.float64(logit) - np.float64(top))
''',
    ("helper",),
)

_COMMON = {
    "helper": _HELPER,
    "mix": _MIX,
    "row_key": _ROW_KEY,
    "row_keys": _ROW_KEYS,
    "random_word": _RANDOM_WORD,
    "relu": _RELU,
    "lgamma": _LGAMMA,
    "xlogx": _XLOGX,
    "wrap": _WRAP,
    "uniform": _UNIFORM,
    "is_on": _IS_ON,
    "draw_bernoulli": _DRAW_BERNOULLI,
    "draw_spin": _DRAW_SPIN,
    "category_weight": _CATEGORY_WEIGHT,
    "draw_categorical": _DRAW_CATEGORICAL,
    "draw_exclusive": _DRAW_EXCLUSIVE,
    "kept_logit": _KEPT_LOGIT,
}

_FLOAT32 = {
    "grid_point": Helper(
        '''\
@helper
def grid_point(r0, r1, site):
    """An odd number below 2^24, uniform: exact in float32, and never 0 or 2^24."""
    return np.float32(np.int32((random_word(r0, r1, site) >> np.uint64(40)) | np.uint64(1)))
''',
        ("random_word",),
    ),
    "exp_neg": Helper(
        '''\
@helper
def exp_neg(x):
    """exp(-x), relative error below 2.1e-7; x is cut at ±87, where float32 ends."""
    # Energies add up in float64, where the sum below would not round to an integer.
    x = min(max(np.float32(x), np.float32(-87)), np.float32(87))
    # Adding 1.5 * 2^23 rounds to an integer. Any k near -x * log2(e) will do; were its factor the one below,
    # LLVM would share the product and lose the two fused multiply-adds that make f exact.
    k = (x * np.float32(-1.4427) + np.float32(12582912)) - np.float32(12582912)
    # exp(-x) = 2^k * 2^f with f = -x * log2(e) - k, |f| <= 0.501; log2(e) in two parts, f being small
    f = (x * np.float32(-1.4426950216293335) - k) + x * np.float32(-1.925963033500011e-08)
    p = np.float32(0.00967183243483305) + f * np.float32(0.0013264317531138659)
    p = np.float32(0.05550737679004669) + f * p
    p = np.float32(0.24022236466407776) + f * p
    p = np.float32(0.6931470036506653) + f * p
    p = np.float32(1) + f * p
    power = np.int32((np.int32(k) + np.int32(127)) << np.int32(23))  # the bits of the float32 number 2^k
    return p * power.view(np.float32)
''',
        ("helper",),
    ),
    "sigmoid": Helper(
        '''\
@helper
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return np.float32(1) / (np.float32(1) + exp_neg(x))
''',
        ("exp_neg",),
    ),
    "softplus": Helper(
        '''\
@helper
def softplus(x):
    """log(1 + exp(x)) = max(x, 0) + log(1 + e) with e = exp(-|x|)."""
    e = exp_neg(abs(x))
    s = e / (np.float32(2) + e)  # log(1 + e) = 2 artanh(s) = 2 s (1 + s²/3 + s⁴/5 + ...), s <= 1/3
    t = s * s
    p = np.float32(0.2796032726764679) + t * np.float32(0.28179749846458435)
    p = np.float32(0.40024927258491516) + t * p
    p = np.float32(0.6666631698608398) + t * p
    return max(x, np.float32(0)) + s * (np.float32(2) + t * p)
''',
        ("exp_neg",),
    ),
}

_FLOAT64 = {
    "grid_point": Helper(
        '''\
@helper
def grid_point(r0, r1, site):
    """An odd number below 2^53, uniform: exact in float64, and never 0 or 2^53."""
    return np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1))
''',
        ("random_word",),
    ),
    "exp_neg": Helper(
        '''\
@helper
def exp_neg(x):
    """exp(-x); inf where that overflows."""
    return np.exp(-x)
''',
        ("helper",),
    ),
    "sigmoid": Helper(
        '''\
@helper
def sigmoid(x):
    """1 / (1 + exp(-x)); an exponential that overflows gives 0."""
    return 1.0 / (1.0 + exp_neg(x))
''',
        ("exp_neg",),
    ),
    "softplus": Helper(
        '''\
@helper
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return max(x, 0.0) + np.log1p(exp_neg(abs(x)))
''',
        ("exp_neg",),
    ),
}

_SHARED = _COMMON | CONTINUOUS | COUNTS | PRODUCTS | ROWS
_HELPERS = {
    "float32": _SHARED | _FLOAT32 | NORMAL_FLOAT32,
    "float64": _SHARED | _FLOAT64 | NORMAL_FLOAT64,
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
