"""The text of the helper functions that draw counts; ``pgmc.runtime.streams`` has the same law in NumPy."""

from __future__ import annotations

from pgmc.codegen.helper import Helper

_DRAW_MULTINOMIAL = Helper(
    '''\
@helper
def draw_multinomial(logits, total, r0, r1, site):
    """The counts of ``total`` draws of place k with probability exp(logits[k]) / Σ exp(logits). They replace them."""
    top = logits[0]
    for k in range(1, logits.shape[0]):
        top = max(top, logits[k])
    running, last = np.empty(logits.shape[0], np.float64), 0
    weight = 0.0
    for k in range(logits.shape[0]):
        own = category_weight(logits[k], top)
        weight += own
        running[k] = weight
        if own > 0.0:
            last = k
        logits[k] = FLOAT(0)
    first = random_word(r0, r1, site)
    for draw in range(total):
        word = mix(first + np.uint64(draw) * np.uint64(0x9E3779B97F4A7C15))
        threshold = np.float64((word >> np.uint64(11)) | np.uint64(1)) * 2.0**-53 * weight
        logits[min(np.searchsorted(running, threshold, side="right"), last)] += FLOAT(1)
''',
    ("random_word", "mix", "category_weight"),
)

_LEFT_OF_TOTAL = Helper(
    '''\
@helper
def left_of_total(total, counts, kept):
    """What is left of a total beside the counts that are kept."""
    left = total
    for k in range(counts.shape[0]):
        if kept[k]:
            left -= np.int64(counts[k])
    return max(left, 0)
''',
    ("helper",),
)

_DRAW_POISSON = Helper(
    '''\
@helper
def draw_poisson(log_rate, r0, r1, site):
    """k with probability exp(log_rate k - rate) / k!: inversion, in the order mode, mode + 1, mode - 1, ..."""
    u = np.float64((random_word(r0, r1, site) >> np.uint64(11)) | np.uint64(1)) * 2.0**-53
    rate = math.exp(np.float64(log_rate))
    mode = np.int64(rate)
    up, down = mode, mode
    above = math.exp(mode * np.float64(log_rate) - rate - math.lgamma(mode + 1.0)) if mode > 0 else math.exp(-rate)
    below = above
    left = u - above
    while left >= 0.0 and (above > 0.0 or below > 0.0):
        up += 1
        above *= rate / up
        left -= above
        if left < 0.0:
            return FLOAT(up)
        below *= down / rate if down > 0 else 0.0
        down -= 1
        left -= below
        if left < 0.0:
            return FLOAT(down)
    return FLOAT(mode)
''',
    ("random_word",),
)

COUNTS = {
    "draw_multinomial": _DRAW_MULTINOMIAL,
    "left_of_total": _LEFT_OF_TOTAL,
    "draw_poisson": _DRAW_POISSON,
}
