"""The text of the helper functions that make random numbers; ``pgmc.runtime.streams`` has the same law in NumPy."""

from __future__ import annotations

from pgmc.codegen.helper import Helper

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

_UNIFORM = Helper(
    '''\
@helper
def uniform(r0, r1, site):
    """A uniform number in (0, 1), neither end included."""
    return grid_point(r0, r1, site) * FLOAT(GRID_STEP)
''',
    ("grid_point",),
)

RANDOM = {
    "mix": _MIX,
    "row_key": _ROW_KEY,
    "row_keys": _ROW_KEYS,
    "random_word": _RANDOM_WORD,
    "uniform": _UNIFORM,
}

GRID_FLOAT32 = {
    "grid_point": Helper(
        '''\
@helper
def grid_point(r0, r1, site):
    """An odd number below 2^24, uniform: exact in float32, and never 0 or 2^24."""
    return np.float32(np.int32((random_word(r0, r1, site) >> np.uint64(40)) | np.uint64(1)))
''',
        ("random_word",),
    ),
}

GRID_FLOAT64 = {
    "grid_point": Helper(
        '''\
@helper
def grid_point(r0, r1, site):
    """An odd number below 2^53, uniform: exact in float64, and never 0 or 2^53."""
    return np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1))
''',
        ("random_word",),
    ),
}
