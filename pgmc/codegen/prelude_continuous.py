"""The text of helpers that draw real and positive units.

A law that needs several random numbers, or does not know how many, takes those of further draws of the same unit, whose
keys are hashes of the row key and the number of the draw.

References
----------
.. [marsaglia2000] Marsaglia, Tsang, A simple method for generating gamma variables, ACM TOMS 26, 2000.
.. [robert1995] Robert, Simulation of truncated normal variables, Statistics and Computing 5, 1995.
.. [box1958] Box, Muller, A note on the generation of random normal deviates, Annals of Mathematical Statistics 29.
"""

from __future__ import annotations

from pgmc.codegen.helper import Helper

_DRAW_NORMAL = Helper(
    '''\
@helper
def draw_normal(mean, precision, r0, r1, site):
    """A normal number of that mean and precision; not finite unless the precision is positive."""
    return FLOAT(mean) + unit_normal(r0, r1, site) / np.sqrt(FLOAT(precision))
''',
    ("unit_normal",),
)

# The factor U of the matrix UᵀU takes its place, row by row and along rows, which is fast; x = U⁻¹ (U⁻ᵀ field + z).
_DRAW_JOINT_NORMAL = Helper(
    '''\
@helper
def draw_joint_normal(field, matrix, out, r0, r1, site):
    """out from the density exp(field · x - x · matrix · x / 2); not finite unless the matrix is positive definite."""
    size = field.shape[0]
    for k in range(size):
        scale = FLOAT(1) / np.sqrt(matrix[k, k])
        field[k] *= scale
        for j in range(k, size):
            matrix[k, j] *= scale
        for i in range(k + 1, size):
            factor = matrix[k, i]
            field[i] -= factor * field[k]
            for j in range(i, size):
                matrix[i, j] -= factor * matrix[k, j]
    for k in range(size - 1, -1, -1):
        total = field[k] + unit_normal(r0, r1, site + k)
        for j in range(k + 1, size):
            total -= matrix[k, j] * out[j]
        out[k] = total / matrix[k, k]
''',
    ("unit_normal",),
)

_WIDE_UNIFORM = Helper(
    '''\
@helper
def wide_uniform(r0, r1, site):
    """A uniform number in (0, 1) of 53 bits, whatever the program's dtype."""
    return np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1)) * 2.0**-53
''',
    ("random_word",),
)

_WIDE_NORMAL = Helper(
    '''\
@helper
def wide_normal(r0, r1, site):
    """A normal number of mean 0 and variance 1 from two words [box1958], whatever the program's dtype."""
    angle = np.float64(np.int64(random_word(r1, r0, site)) >> np.int64(11)) * 2.0**-53
    return np.sqrt(-2.0 * np.log(wide_uniform(r0, r1, site))) * np.sin(np.pi * angle)
''',
    ("wide_uniform",),
)

_DRAW_KEYS = Helper(
    '''\
@helper
def draw_keys(r0, r1, draw):
    """The row key of another draw of the same units: for laws that need several, or do not know how many."""
    step = np.uint64(draw) * np.uint64(0x9E3779B97F4A7C15)
    return mix(r0 + step), mix(r1 + step)
''',
    ("mix",),
)

# The acceptance is above 95 %, so that 128 attempts never fail; a shape below 1 is drawn as shape + 1 and corrected.
_DRAW_GAMMA = Helper(
    '''\
@helper
def draw_gamma(shape, rate, r0, r1, site):
    """A gamma number of that shape and rate [marsaglia2000]; NaN unless both are positive."""
    shape, rate = np.float64(shape), np.float64(rate)
    if not (shape > 0.0 and rate > 0.0):
        return FLOAT(np.nan)
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    value = d
    for attempt in range(1, 129):
        a0, a1 = draw_keys(r0, r1, 2 * attempt)
        b0, b1 = draw_keys(r0, r1, 2 * attempt + 1)
        z = wide_normal(a0, a1, site)
        v = 1.0 + z / np.sqrt(9.0 * d)
        if v > 0.0:
            v = v * v * v
            if np.log(wide_uniform(b0, b1, site)) < 0.5 * z * z + d - d * v + d * np.log(v):
                value = d * v
                break
    if shape < 1.0:
        value *= wide_uniform(r0, r1, site) ** (1.0 / shape)
    return FLOAT(max(value / rate, 1e-37))
''',
    ("draw_keys", "wide_normal", "wide_uniform"),
)

_DRAW_TRUNCATED_NORMAL = Helper(
    '''\
@helper
def draw_truncatednormal(mean, precision, r0, r1, site):
    """A normal number of that mean and precision above 0 [robert1995]; NaN unless the precision is positive."""
    mean, precision = np.float64(mean), np.float64(precision)
    if not precision > 0.0:
        return FLOAT(np.nan)
    low = -mean * np.sqrt(precision)
    alpha = 0.5 * (low + np.sqrt(low * low + 4.0))
    above = 0.0
    for attempt in range(1, 129):
        a0, a1 = draw_keys(r0, r1, 2 * attempt)
        b0, b1 = draw_keys(r0, r1, 2 * attempt + 1)
        if low < 0.45:
            above = wide_normal(a0, a1, site) - low
            if above > 0.0:
                break
        else:
            above = -np.log(wide_uniform(a0, a1, site)) / alpha
            if np.log(wide_uniform(b0, b1, site)) < -0.5 * (low + above - alpha) ** 2:
                break
    return FLOAT(max(above / np.sqrt(precision), 1e-37))
''',
    ("draw_keys", "wide_normal", "wide_uniform"),
)

CONTINUOUS = {
    "draw_normal": _DRAW_NORMAL,
    "draw_joint_normal": _DRAW_JOINT_NORMAL,
    "wide_uniform": _WIDE_UNIFORM,
    "wide_normal": _WIDE_NORMAL,
    "draw_keys": _DRAW_KEYS,
    "draw_gamma": _DRAW_GAMMA,
    "draw_truncatednormal": _DRAW_TRUNCATED_NORMAL,
}

NORMAL_FLOAT32 = {
    "log_unit": Helper(
        '''\
@helper
def log_unit(x):
    """log(x) of a normal number x in (0, 1], relative error below 2e-7."""
    # x = 2^k m with m in [sqrt(1/2), sqrt(2)), and log(m) = 2 artanh(s) with s = (m - 1) / (m + 1)
    bits = np.float32(x).view(np.int32) - np.int32(0x3F3504F3)
    k = np.float32(bits >> np.int32(23))
    f = np.int32((bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3)).view(np.float32) - np.float32(1)
    s = f / (np.float32(2) + f)
    t = s * s
    p = np.float32(0.28498786688) + t * np.float32(0.24279078841)
    p = np.float32(0.40000972152) + t * p
    p = np.float32(0.66666662693) + t * p
    half = np.float32(0.5) * f * f
    tail = s * (half + t * p) + k * np.float32(9.0580006145e-06)
    return tail - half + f + k * np.float32(0.69313812256)
''',
        ("helper",),
    ),
    "sin_half_turn": Helper(
        '''\
@helper
def sin_half_turn(x):
    """sin(π x) for x in [-1/2, 1/2], error below 3e-7."""
    t = x * x
    p = np.float32(-0.5982912856) + t * np.float32(0.0776576603)
    p = np.float32(2.550077523) + t * p
    p = np.float32(-5.167710084) + t * p
    p = np.float32(3.14159264) + t * p
    return x * p
''',
        ("helper",),
    ),
    "unit_normal": Helper(
        '''\
@helper
def unit_normal(r0, r1, site):
    """A normal number, mean 0, variance 1 [box1958]: radius from 31 bits (up to 6.5), angle from 32."""
    word = random_word(r0, r1, site)
    u = np.float32(np.int32((word & np.uint64(0x7FFFFFFF)) | np.uint64(1))) * np.float32(2**-31)
    angle = np.float32(np.int32(np.int64(word) >> np.int64(32))) * np.float32(2**-32)
    # A half turn is enough: the sine takes every value as often as in a whole one.
    return np.sqrt(np.float32(-2) * log_unit(u)) * sin_half_turn(angle)
''',
        ("random_word", "log_unit", "sin_half_turn"),
    ),
}

NORMAL_FLOAT64 = {
    "unit_normal": Helper(
        '''\
@helper
def unit_normal(r0, r1, site):
    """A normal number, mean 0, variance 1 [box1958]: radius from 53 bits (up to 8.5), angle from 53."""
    u = np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1)) * 2.0**-53
    angle = np.float64(np.int64(random_word(r1, r0, site)) >> np.int64(11)) * 2.0**-53
    # A half turn is enough: the sine takes every value as often as in a whole one.
    return np.sqrt(-2.0 * np.log(u)) * np.sin(np.pi * angle)
''',
        ("random_word",),
    ),
}
