"""The text of the helper functions that draw one of finitely many states."""

from __future__ import annotations

from pgmc.codegen.helper import Helper

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

STATES = {
    "is_on": _IS_ON,
    "draw_bernoulli": _DRAW_BERNOULLI,
    "draw_spin": _DRAW_SPIN,
    "draw_categorical": _DRAW_CATEGORICAL,
    "draw_exclusive": _DRAW_EXCLUSIVE,
    "kept_logit": _KEPT_LOGIT,
    "category_weight": _CATEGORY_WEIGHT,
}
