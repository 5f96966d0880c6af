"""The text of helpers that draw units of no family by slice sampling.

References
----------
.. [neal2003] Neal, Slice sampling, Annals of Statistics 31, 2003: figures 3 and 5.
"""

from __future__ import annotations

from pgmc.codegen.helper import Helper
from pgmc.ir.slice_steps import MOST_SHRINKS, SMALLEST, STEPS, WIDTH

# One place in the kernel computes the density, whatever it is needed for; the turn says what for.
_STEP_SLICE = Helper(
    f'''\
@helper
def step_slice(density, start, point, low, high, level, turn, left, right, r0, r1, site):
    """Where the density is asked for next, given that at the point: stepping out, then shrinkage [neal2003].

    turn 0: at the start, 1 and 2: at the ends of the interval, from 3 on: at a proposal, -1: the point is drawn.
    """
    density = np.float64(density)
    if turn == 0:
        if np.isnan(density):
            return np.nan, low, high, level, -1, left, right
        a0, a1 = draw_keys(r0, r1, 1)
        b0, b1 = draw_keys(r0, r1, 2)
        c0, c1 = draw_keys(r0, r1, 3)
        level = density + np.log(wide_uniform(a0, a1, site))
        low = start - {WIDTH} * wide_uniform(b0, b1, site)
        left = np.int64({STEPS} * wide_uniform(c0, c1, site))
        return low, low, low + {WIDTH}, level, 1, left, {STEPS - 1} - left
    if turn == 1:
        if density > level and left > 0:
            return low - {WIDTH}, low - {WIDTH}, high, level, 1, left - 1, right
        return high, low, high, level, 2, left, right
    if turn == 2:
        if density > level and right > 0:
            return high + {WIDTH}, low, high + {WIDTH}, level, 2, left, right - 1
    elif density > level:
        return point, low, high, level, -1, left, right
    elif turn == {MOST_SHRINKS}:
        return start, low, high, level, -1, left, right
    elif point < start:
        low = point
    else:
        high = point
    a0, a1 = draw_keys(r0, r1, turn + 2)
    return low + wide_uniform(a0, a1, site) * (high - low), low, high, level, turn + 1, left, right
''',
    ("draw_keys", "wide_uniform"),
)

_POSITIVE = Helper(
    f'''\
@helper
def positive(logarithm):
    """exp(logarithm), at least the smallest number that a positive unit takes."""
    return FLOAT(max(np.exp(np.float64(logarithm)), {SMALLEST}))
''',
    ("helper",),
)

SLICE = {"step_slice": _STEP_SLICE, "positive": _POSITIVE}
