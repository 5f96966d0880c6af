"""Images become states, and the baseline that models are compared with."""

from __future__ import annotations

import numpy as np
import pytest

from pgmc.cli.baseline import independent_log_likelihoods
from pgmc.cli.datasets import Encoding, load_images
from pgmc.dsl.model import Model
from pgmc.errors import ArgumentError
from pgmc.ir.symbols import Axis, Binary, Categorical, Count, Domain, Spin, Variable

GREY = np.array([[0.0, 0.49, 0.5, 1.0]])


def encoding(domain: Domain, *shape: int) -> Encoding:
    return Encoding(Variable("v", tuple(Axis(size) for size in shape), domain))


@pytest.mark.parametrize(
    ("domain", "states", "grey", "name"),
    [
        (Binary(), [0, 0, 1, 1], [0, 0, 1, 1], "binarised by threshold: 1"),
        (Spin(), [-1, -1, 1, 1], [0, 0, 1, 1], "binarised by threshold: +1"),
        (Categorical(4), [0, 1, 2, 3], [0, 1 / 3, 2 / 3, 1], "quantised to 4 grey levels"),
    ],
)
def test_schemes(domain: Domain, states: list[int], grey: list[float], name: str) -> None:
    scheme = encoding(domain, 2, 2)
    encoded = scheme.encode(GREY)
    assert encoded.tolist() == [np.reshape(states, (2, 2)).tolist()]
    assert scheme.grey(encoded)[0] == pytest.approx(grey)
    assert str(scheme).startswith(name)


def test_expected_grey() -> None:
    assert encoding(Binary(), 2).expected_grey(np.array([[0.25, 1.0]])).tolist() == [[0.25, 1.0]]
    probabilities = np.array([[[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]])
    assert encoding(Categorical(3), 2).expected_grey(probabilities).tolist() == [[0.5, 1.0]]


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(ArgumentError, match="count"):
        encoding(Count(), 4)
    with pytest.raises(ArgumentError, match="has 3 units"):
        encoding(Binary(), 3).encode(GREY)


def test_the_split_is_the_same_in_every_run() -> None:
    first, second = load_images("digits"), load_images("digits")
    assert first.train.shape == (1437, 64) and first.test.shape == (360, 64)
    assert first.train.min() == 0.0 and first.train.max() == 1.0
    np.testing.assert_array_equal(first.test, second.test)
    np.testing.assert_array_equal(np.bincount(np.concatenate([first.train_labels, first.test_labels])).sum(), 1797)


def test_independent_units_against_counting() -> None:
    m = Model()
    m.binary("v", 2)
    m.spin("s", 1)
    m.categorical("y", states=3)
    with pytest.warns(UserWarning, match="no term"):
        model = m.build()
    train = {"v": np.array([[1, 0], [1, 1], [0, 0]]), "s": np.array([[1], [-1], [1]]), "y": np.array([0, 0, 2])}
    test = {"v": np.array([[1, 1]]), "s": np.array([[-1]]), "y": np.array([1])}
    seen, unseen = independent_log_likelihoods(model, train, test)
    assert unseen == pytest.approx([np.log([2.5 / 4, 1.5 / 4, 1.5 / 4, 0.5 / 4.5]).sum()])
    assert seen[0] == pytest.approx(np.log([2.5 / 4, 2.5 / 4, 2.5 / 4, 2.5 / 4.5]).sum())
