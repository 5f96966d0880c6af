"""The text of the helpers for products of matrices that generated modules do themselves.

Both matrices are read along their rows, so that LLVM keeps every sum of a small square of the product in a vector
register and adds the lanes up at the end. For fields of a few units at a time that is faster than BLAS, which
would pack the units of all chains anew for every call.
"""

from __future__ import annotations

from pgmc.codegen.helper import Helper

# Sums of products may be added up in any order.
_SUMMING = Helper('summing = njit(nogil=True, fastmath={"contract", "reassoc"}, error_model="numpy")\n')

_MULTIPLY = Helper(
    '''\
@summing
def multiply(weights, units, fields):
    """fields[i, n] = Σ_j weights[i, j] · units[n, j], six rows of weights and two of units at a time.

    The twelve sums stay in registers, and a number is used twice or six times once it is loaded. Where fewer rows are
    left, the last one is taken several times.
    """
    rows, chains = fields.shape[0] - 1, fields.shape[1] - 1
    for i0 in range(0, rows + 1, 6):
        i1, i2, i3 = min(i0 + 1, rows), min(i0 + 2, rows), min(i0 + 3, rows)
        i4, i5 = min(i0 + 4, rows), min(i0 + 5, rows)
        for n in range(0, chains + 1, 2):
            m = min(n + 1, chains)
            a0 = a1 = a2 = a3 = a4 = a5 = FLOAT(0)
            b0 = b1 = b2 = b3 = b4 = b5 = FLOAT(0)
            for j in range(weights.shape[1]):
                a, b = units[n, j], units[m, j]
                w0, w1, w2 = weights[i0, j], weights[i1, j], weights[i2, j]
                w3, w4, w5 = weights[i3, j], weights[i4, j], weights[i5, j]
                a0, a1, a2, a3, a4, a5 = a0 + w0 * a, a1 + w1 * a, a2 + w2 * a, a3 + w3 * a, a4 + w4 * a, a5 + w5 * a
                b0, b1, b2, b3, b4, b5 = b0 + w0 * b, b1 + w1 * b, b2 + w2 * b, b3 + w3 * b, b4 + w4 * b, b5 + w5 * b
            fields[i0, n], fields[i1, n], fields[i2, n] = a0, a1, a2
            fields[i3, n], fields[i4, n], fields[i5, n] = a3, a4, a5
            fields[i0, m], fields[i1, m], fields[i2, m] = b0, b1, b2
            fields[i3, m], fields[i4, m], fields[i5, m] = b3, b4, b5
''',
    ("summing",),
)

_ALIGNED_ZEROS = Helper(
    '''\
@helper
def aligned_zeros(rows, columns):
    """Zeros (rows, at least columns) whose rows begin on cache lines, as vector loads that straddle two are slow."""
    line = 64 // ITEM_SIZE
    width = -(-columns // line) * line
    numbers = np.zeros(rows * width + line, FLOAT)
    start = -numbers.ctypes.data % 64 // ITEM_SIZE
    return numbers[start : start + rows * width].reshape((rows, width))
''',
    ("helper",),
)

PRODUCTS = {"summing": _SUMMING, "multiply": _MULTIPLY, "aligned_zeros": _ALIGNED_ZEROS}
