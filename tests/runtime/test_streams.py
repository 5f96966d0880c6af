"""Streams, seeds, and the NumPy form of the law of random numbers."""

import importlib.util

import numpy as np
import pytest

from pgmc.codegen.prelude import IMPORTS, prelude
from pgmc.errors import ArgumentError
from pgmc.runtime.streams import Stream, check_seed, draw_codes, draw_on, random_words, uniforms

LOOPS = """

@helper
def fill(key_0, key_1, chains, sweep, sites, words, points, logits, on, states):
    for n in range(chains.shape[0]):
        r0, r1 = row_key(key_0, key_1, chains[n], sweep)
        for k in range(sites.shape[0]):
            words[n, k] = random_word(r0, r1, sites[k])
            points[n, k] = uniform(r0, r1, sites[k])
            on[n, k] = draw_bernoulli(logits[n, k, 0], r0, r1, sites[k])
            states[n, k] = draw_categorical(logits[n, k], r0, r1, sites[k])
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_and_generated_code_draw_the_same(dtype, tmp_path):
    names = ["row_key", "random_word", "uniform", "draw_bernoulli", "draw_categorical"]
    path = tmp_path / "law.py"
    path.write_text(IMPORTS + "\n\n" + prelude(names, dtype) + LOOPS)
    spec = importlib.util.spec_from_file_location(f"law_{dtype}", path)
    law = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(law)

    key = Stream(1, "test").key
    chains, sites = np.array([0, 1, 7, 2**40]), np.arange(5, 400)
    logits = np.random.default_rng(0).normal(0, 2, (4, 395, 3)).astype(dtype)
    words, points = np.empty((4, 395), np.uint64), np.empty((4, 395), dtype)
    on, states = np.empty((4, 395), dtype), np.empty((4, 395), np.int64)
    law.fill(np.uint64(key[0]), np.uint64(key[1]), chains, 2**35, sites, words, points, logits, on, states)

    expected = random_words(key, chains, 2**35, sites)
    np.testing.assert_array_equal(words, expected)
    np.testing.assert_array_equal(points, uniforms(expected, dtype))
    np.testing.assert_array_equal(on, draw_on(logits[..., 0], expected, dtype))
    np.testing.assert_array_equal(states, draw_codes(logits.astype(np.float64), expected))


def test_keys_are_fixed_by_seed_and_purpose():
    # A change of these keys changes every seeded result.
    assert Stream(0, "sample").key == KNOWN
    assert Stream(0, "sample").child("sweep") == Stream(0, "sample/sweep")
    keys = {Stream(seed, purpose).key for seed in range(50) for purpose in ("sample", "init", "shuffle")}
    assert len(keys) == 150


def test_a_fresh_seed_is_remembered():
    stream = Stream(None, "sample")
    assert Stream(stream.seed, "sample") == stream
    assert Stream(None, "sample") != stream


@pytest.mark.parametrize("seed", [0, 2**64 - 1, np.int32(5), np.uint64(2**63)])
def test_seeds(seed):
    assert check_seed(seed) == int(seed)


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", True, np.bool_(True), [1]])
def test_wrong_seeds(seed):
    with pytest.raises(ArgumentError, match="expected an integer from 0"):
        Stream(seed, "sample")


def test_generators_are_repeatable_and_apart():
    stream = Stream(3, "shuffle")
    first = stream.generator().random(8)
    assert (first == stream.generator().random(8)).all()
    assert not (first == stream.child("x").generator().random(8)).any()


def test_draws_saturate():
    words = random_words((1, 2), np.arange(2), 0, np.arange(500))
    for value in (800.0, 1e5, np.inf):
        assert draw_on(np.full((2, 500), value), words, "float32").all()
        assert not draw_on(np.full((2, 500), -value), words, "float64").any()
    logits = np.broadcast_to([-np.inf, 0.0, -1e5, -800.0], (2, 500, 4))
    assert (draw_codes(logits, words) == 1).all()


KNOWN = (11683796963086298684, 9242115009220983091)
