"""The text of the helper functions that evaluate mathematical functions, and that keep places on their axes."""

from __future__ import annotations

from pgmc.codegen.helper import Helper

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

_DIGAMMA = Helper(
    '''\
@helper
def digamma(x):
    """The derivative of log Γ: ψ(x) = ψ(x + 10) - Σ_k 1/(x + k), and there the asymptotic series."""
    y, total = np.float64(x) + 10.0, 0.0
    for k in range(10):
        total += 1.0 / (x + k)
    t = 1.0 / (y * y)
    series = 1.0 / 240.0 - t * (1.0 / 132.0 - t * (691.0 / 32760.0))
    series = t * (1.0 / 12.0 - t * (1.0 / 120.0 - t * (1.0 / 252.0 - t * series)))
    return FLOAT(np.log(y) - 0.5 / y - series - total)
''',
    ("helper",),
)

FUNCTIONS = {
    "relu": _RELU,
    "wrap": _WRAP,
    "xlogx": _XLOGX,
    "lgamma": _LGAMMA,
    "digamma": _DIGAMMA,
}

FUNCTIONS_FLOAT32 = {
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

FUNCTIONS_FLOAT64 = {
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
