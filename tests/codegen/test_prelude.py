"""The helper functions of generated modules: known answers, exact thresholds, saturation, and statistics."""

import importlib.util
import math
from fractions import Fraction

import numpy as np
import pytest

from pgmc.codegen.prelude import IMPORTS, helper_names, prelude
from pgmc.errors import InternalError

MASK = (1 << 64) - 1
STEP = 0x9E3779B97F4A7C15
KEY = (0x0123456789ABCDEF, 0xFEDCBA9876543210)

LOOPS = """

@njit
def words(key_0, key_1, chain, sweep, first, out):
    r0, r1 = row_key(key_0, key_1, chain, sweep)
    for k in range(out.shape[0]):
        out[k] = random_word(r0, r1, first + k)


@helper
def points(key_0, key_1, chain, sweep, out):
    r0, r1 = row_key(key_0, key_1, chain, sweep)
    for k in range(out.shape[0]):
        out[k] = uniform(r0, r1, k)


@helper
def bernoulli_rows(key_0, key_1, sweep, logits, out):
    for n in range(out.shape[0]):
        r0, r1 = row_key(key_0, key_1, n, sweep)
        for j in range(out.shape[1]):
            out[n, j] = draw_bernoulli(logits[n, j], r0, r1, j)


@helper
def bernoulli_one(key_0, key_1, sweep, n, j, logit):
    r0, r1 = row_key(key_0, key_1, n, sweep)
    return draw_bernoulli(logit, r0, r1, j)


@helper
def spin_rows(key_0, key_1, sweep, logits, out):
    for n in range(out.shape[0]):
        r0, r1 = row_key(key_0, key_1, n, sweep)
        for j in range(out.shape[1]):
            out[n, j] = draw_spin(logits[n, j], r0, r1, j)


@helper
def categorical_row(key_0, key_1, sweep, logits, out):
    r0, r1 = row_key(key_0, key_1, 0, sweep)
    for j in range(out.shape[0]):
        out[j] = draw_categorical(logits, r0, r1, j)


@helper
def mapped(x, exponential, logistic, rectified, soft, gamma):
    for k in range(x.shape[0]):
        exponential[k] = exp_neg(x[k])
        logistic[k] = sigmoid(x[k])
        rectified[k] = relu(x[k])
        soft[k] = softplus(x[k])
        gamma[k] = lgamma(x[k])
"""


def load(path, dtype, imports=IMPORTS):
    path.write_text(imports + "\n\n" + prelude(helper_names(dtype), dtype) + LOOPS)
    spec = importlib.util.spec_from_file_location(f"prelude_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(scope="module")
def compiled(dtype, tmp_path_factory):
    return load(tmp_path_factory.mktemp("prelude") / f"{dtype}.py", dtype)


def key():
    return np.uint64(KEY[0]), np.uint64(KEY[1])


def reference_mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def reference_word(chain, sweep, site):
    """The law of random words in Python integers."""
    r0, r1 = (reference_mix((reference_mix((half + sweep * STEP) & MASK) + chain * STEP) & MASK) for half in KEY)
    z = (r0 + site * STEP) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK) ^ r1
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def draw_words(module, chain, sweep, first, count):
    out = np.empty(count, np.uint64)
    module.words(*key(), chain, sweep, first, out)
    return out


def test_mix_is_splitmix64():
    # The first outputs of splitmix64 from state 1234567, as widely published.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert [reference_mix((1234567 + k * STEP) & MASK) for k in range(1, 5)] == published


@pytest.mark.parametrize("chain, sweep, first", [(0, 0, 0), (1, 0, 5), (0, 1, 5), (2**40, 3, 2**33), (7, 2**45, 1)])
def test_words_follow_the_law(compiled, chain, sweep, first):
    got = [int(w) for w in draw_words(compiled, chain, sweep, first, 9)]
    assert got == [reference_word(chain, sweep, first + k) for k in range(9)]


def test_words_known_answers(compiled):
    assert [int(w) for w in draw_words(compiled, 3, 11, 0, 3)] == KNOWN


def test_a_million_keys_give_no_word_twice(compiled):
    """Among 2^20 random words one repeats with probability 3e-8; neighbouring keys are likeliest to clash."""
    rows = [draw_words(compiled, chain, sweep, 0, 256) for chain in range(64) for sweep in range(64)]
    assert np.unique(np.concatenate(rows)).size == 2**20


def test_uniform_numbers_are_odd_grid_points(compiled, dtype):
    bits = {"float32": 24, "float64": 53}[dtype]
    out = np.empty(1000, dtype)
    compiled.points(*key(), 4, 9, out)
    expected = [Fraction((reference_word(4, 9, site) >> (64 - bits)) | 1, 2**bits) for site in range(1000)]
    assert [Fraction(float(u)) for u in out] == expected
    assert out.min() > 0 and out.max() < 1


@pytest.mark.parametrize("logit", [0.0, 1e-3, 0.7, -0.7, 3.0, -3.0, 9.0, -9.0, 14.0, -14.0])
def test_threshold_of_the_bernoulli_draw(compiled, dtype, logit):
    """Bisects for the number of grid points that are on: their share is the probability really drawn."""
    bits = {"float32": 24, "float64": 53}[dtype]
    low, high = 0, 2 ** (bits - 1)  # the first `low` odd points are on, the others from `high` on are off
    x = np.dtype(dtype).type(logit)
    while low < high:
        middle = (low + high) // 2
        if compiled.is_on(np.dtype(dtype).type(2 * middle + 1), x):
            low = middle + 1
        else:
            high = middle
    p = 1 / (1 + math.exp(-logit))
    tolerance = 2.0**-bits + p * {"float32": 3e-7, "float64": 5e-16}[dtype]
    assert abs(low / 2 ** (bits - 1) - p) <= tolerance


def test_saturated_logits(compiled, dtype):
    logits = np.array([[800, 1e5, np.inf, -800, -1e5, -np.inf]] * 200, dtype)
    out = np.empty_like(logits)
    compiled.bernoulli_rows(*key(), 0, logits, out)
    assert (out == [1, 1, 1, 0, 0, 0]).all()
    compiled.spin_rows(*key(), 0, logits, out)
    assert (out == [1, 1, 1, -1, -1, -1]).all()


def test_scalar_and_vectorised_draws_agree(compiled, dtype):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (7, 501)).astype(dtype)
    rows, spins = np.empty_like(logits), np.empty_like(logits)
    compiled.bernoulli_rows(*key(), 5, logits, rows)
    compiled.spin_rows(*key(), 5, logits, spins)
    one = [[compiled.bernoulli_one(*key(), 5, n, j, logits[n, j]) for j in range(501)] for n in range(7)]
    assert (rows == np.array(one)).all()
    assert (spins == 2 * rows - 1).all()


def test_interpreted_text_draws_the_same(compiled, dtype, tmp_path):
    plain = load(tmp_path / f"plain_{dtype}.py", dtype, IMPORTS.replace("from numba import njit", UNCOMPILED))
    logits = np.random.default_rng(1).normal(0, 2, (3, 50)).astype(dtype)
    fast, slow = np.empty_like(logits), np.empty_like(logits)
    with np.errstate(over="ignore"):
        compiled.bernoulli_rows(*key(), 2, logits, fast)
        plain.bernoulli_rows(*key(), 2, logits, slow)
        states, plain_states = np.empty((2, 40), np.int64)
        compiled.categorical_row(*key(), 2, logits[0, :4], states)
        plain.categorical_row(*key(), 2, logits[0, :4], plain_states)
    assert (fast == slow).all()
    assert (states == plain_states).all()


def z_scores(draws, p):
    """z of the mean and, per axis, of the share of neighbouring pairs that are both on."""
    scores = [(draws.mean() - p) / math.sqrt(p * (1 - p) / draws.size)]
    for axis in range(draws.ndim):
        left, right = (
            np.take(draws, range(draws.shape[axis] - 1), axis),
            np.take(draws, range(1, draws.shape[axis]), axis),
        )
        # Products of neighbours among independent draws: variance p²(1-p²), adjacent ones covary by p³(1-p).
        variance = p**2 * (1 - p**2) + 2 * p**3 * (1 - p)
        scores.append(((left * right).mean() - p**2) / math.sqrt(variance / left.size))
    return scores


@pytest.mark.parametrize("logit", [-4.0, -0.5, 0.0, 2.0])
def test_mean_and_neighbours(compiled, dtype, logit):
    """z-tests over (sweep, chain, site). False alarms: P(|z| > 5.5) = 4e-8, 1.2e-6 for all 32 scores.

    Power: of 2^21 draws at p = 1/2, a shift of the mean by 0.0035 (ten standard errors) is surely found.
    """
    logits = np.full((128, 512), logit, dtype)
    draws = np.empty((32, 128, 512), dtype)
    for sweep in range(32):
        compiled.bernoulli_rows(*key(), sweep, logits, draws[sweep])
    scores = z_scores(draws.astype(np.float64), 1 / (1 + math.exp(-logit)))
    assert max(map(abs, scores)) < 5.5


def test_categorical_frequencies(compiled, dtype):
    """Three z-tests at |z| > 5.5: false alarm 1.2e-7."""
    logits = np.array([0.0, math.log(2), -np.inf, math.log(5)], dtype)
    draws = np.empty(400_000, np.int64)
    compiled.categorical_row(*key(), 3, logits, draws)
    counts, p = np.bincount(draws, minlength=4), np.array([1, 2, 0, 5]) / 8
    assert counts[2] == 0
    z = (counts - draws.size * p) / np.sqrt(draws.size * np.maximum(p * (1 - p), 1e-9))
    assert np.abs(z).max() < 5.5


@pytest.mark.parametrize(
    "logits, allowed",
    [
        ([-800, 800], {1}),
        ([1e5, -np.inf, -np.inf], {0}),
        ([np.inf, 3, 0], {0}),
        ([7, 7, 7], {0, 1, 2}),
        ([-1e5, -1e5], {0, 1}),
        ([3.0], {0}),
    ],
)
def test_categorical_saturation(compiled, dtype, logits, allowed):
    draws = np.empty(1000, np.int64)
    compiled.categorical_row(*key(), 0, np.array(logits, dtype), draws)
    assert set(draws.tolist()) == allowed


def test_functions(compiled, dtype):
    x = np.concatenate([np.linspace(-80, 80, 100_001), [1e-3, -1e-3, 0.0]]).astype(dtype)
    exact = x.astype(np.float64)
    got = [np.empty_like(x) for _ in range(5)]
    compiled.mapped(x, *got)
    tolerance = {"float32": 4e-7, "float64": 1e-15}[dtype]
    np.testing.assert_allclose(got[0], np.exp(-exact), rtol=tolerance)
    np.testing.assert_allclose(got[1], 1 / (1 + np.exp(-exact)), rtol=2 * tolerance)
    np.testing.assert_array_equal(got[2], np.maximum(x, 0))
    np.testing.assert_allclose(got[3], np.logaddexp(0, exact), rtol=tolerance)
    positive = np.flatnonzero(exact > 0)[::97]
    np.testing.assert_allclose(got[4][positive], [math.lgamma(v) for v in exact[positive]], rtol=tolerance, atol=1e-7)


@pytest.mark.parametrize("value", [800.0, 1e5, np.inf])
def test_functions_saturate(compiled, dtype, value):
    x = np.array([value, -value], dtype)
    got = [np.empty_like(x) for _ in range(5)]
    compiled.mapped(x, *got)
    np.testing.assert_allclose(got[1], [1, 0], atol=1e-37)
    np.testing.assert_allclose(got[3], [value, 0], atol=1e-37)
    assert not np.isnan(got[0]).any()


def test_text_is_on_demand_and_ordered(dtype):
    text = prelude(["draw_spin"], dtype)
    assert "row_key" not in text and "draw_categorical" not in text
    assert text.index("def random_word") < text.index("def grid_point") < text.index("def draw_spin")
    assert prelude([], dtype) == ""
    assert prelude(["row_key", "row_key"], dtype).count("def row_key") == 1
    assert max(map(len, (IMPORTS + prelude(helper_names(dtype), dtype)).splitlines())) <= 120
    with pytest.raises(InternalError, match="no helper 'nothing'"):
        prelude(["nothing"], dtype)


UNCOMPILED = """
def njit(function=None, **_):
    return function if function is not None else lambda f: f
"""

# random_word at chain 3, sweep 11, sites 0 to 2: a change of the law changes every seeded result.
KNOWN = [1719386042021779970, 62592061292759226, 16126855276681649660]
