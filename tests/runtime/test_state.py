"""What reaches kernels is checked, and harmless layouts are accepted."""

import numpy as np
import pytest

from pgmc.errors import DataError
from pgmc.ir.model import Model
from pgmc.ir.symbols import (
    Axis,
    Binary,
    Categorical,
    Constraint,
    Input,
    Parameter,
    Real,
    SourceLine,
    Spin,
    Variable,
)
from pgmc.runtime.state import decode_state, encode_params, encode_state, random_state
from pgmc.runtime.streams import Stream

MODEL = Model(
    "mixed",
    (
        Variable("v", (Axis(3), Axis(2)), Binary(), SourceLine("spec.py", 7)),
        Variable("s", (Axis(4),), Spin()),
        Variable("k", (Axis(2),), Categorical(5)),
        Variable("y", (), Categorical(300)),
    ),
    (Input("x", (Axis(2),), Real()),),
    (
        Parameter("W", (Axis(3), Axis(3)), Constraint(symmetric=True, zero_diagonal=True)),
        Parameter("a", (), Constraint(positive=True)),
    ),
    (),
    (),
)
GOOD = {
    "v": np.array([[[0, 1], [1, 1], [0, 0]]] * 5),
    "s": np.array([[-1, 1, 1, -1]] * 5),
    "k": np.array([[4, 0]] * 5),
    "y": np.arange(5),
    "x": np.linspace(-1, 1, 10).reshape(5, 2),
}


def encode(**changes):
    state = {**GOOD, **changes}
    return encode_state(MODEL, state, list(GOOD), "float32")


def test_dtypes():
    encoded = encode()
    assert {name: array.dtype.name for name, array in encoded.items()} == {
        "v": "float32", "s": "float32", "k": "int64", "y": "int64", "x": "float32"
    }  # fmt: skip
    decoded = decode_state(MODEL, encoded)
    assert {name: array.dtype.name for name, array in decoded.items()} == {
        "v": "int8", "s": "int8", "k": "int8", "y": "int16", "x": "float32"
    }  # fmt: skip
    for name in ("v", "s", "k", "y"):
        np.testing.assert_array_equal(decoded[name], GOOD[name])


def variants(array):
    """Layouts that hold the same numbers."""
    yield np.asfortranarray(array)
    yield np.repeat(array, 2, axis=0)[::2]
    yield array.astype(">i4") if array.dtype.kind == "i" else array.astype(">f8")
    yield array.astype(np.float64)
    yield array.tolist()
    yield np.ma.MaskedArray(array)
    read_only = array.copy()
    read_only.flags.writeable = False
    yield read_only


@pytest.mark.parametrize("name", list(GOOD))
def test_harmless_layouts_give_the_same_bits(name, tmp_path):
    expected = encode()[name]
    np.save(tmp_path / "data.npy", GOOD[name])
    for value in (*variants(GOOD[name]), np.load(tmp_path / "data.npy", mmap_mode="r")):
        got = encode(**{name: value})[name]
        assert got.dtype == expected.dtype and got.flags.c_contiguous and got.dtype.isnative
        np.testing.assert_array_equal(got, expected)
    if name == "v":
        np.testing.assert_array_equal(encode(v=GOOD["v"].astype(bool))["v"], expected)


def changed(name, value, index):
    array = GOOD[name].astype(float)
    array[index] = value
    return array


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("v", changed("v", 0.5, (3, 1, 0)), r"v \(binary variable, declared at spec.py:7\): expected 0 or 1"),
        ("v", changed("v", 0.5, (3, 1, 0)), r"got 0.5 at \(3, 1, 0\)"),
        ("v", changed("v", 2, (0, 2, 1)), r"expected 0 or 1, got 2.0 at \(0, 2, 1\)"),
        ("v", changed("v", np.nan, (1, 0, 0)), r"got nan at \(1, 0, 0\)"),
        ("s", changed("s", 0, (4, 3)), r"s \(spin variable\): expected -1 or \+1, got 0.0 at \(4, 3\)"),
        ("k", changed("k", 5, (2, 1)), r"k \(categorical\(5\) variable\): expected integers from 0 to 4, got 5"),
        ("k", changed("k", -1, (2, 0)), r"got -1.0 at \(2, 0\)"),
        ("k", changed("k", 1.5, (2, 0)), r"got 1.5 at \(2, 0\)"),
        ("k", changed("k", np.inf, (2, 0)), r"got inf at \(2, 0\)"),
        ("x", changed("x", np.nan, (0, 1)), r"x \(real input\): expected finite numbers, got nan at \(0, 1\)"),
        ("s", GOOD["s"][:, :3], r"expected the shape \(n, 4\), got \(5, 3\)"),
        ("s", GOOD["s"][0], r"expected the shape \(n, 4\), got \(4,\). A single example needs a leading axis"),
        ("v", GOOD["v"].reshape(5, 6), r"expected the shape \(n, 3, 2\), got \(5, 6\). Reshape it to \(5, 3, 2\)"),
        ("y", GOOD["y"][:, None], r"expected the shape \(n\), got \(5, 1\)"),
        ("s", GOOD["s"][:0], "no rows"),
        ("s", GOOD["s"][:4], "4 rows, but v has 5"),
        ("s", GOOD["s"].astype(object), "expected numbers, got an array of dtype object"),
        ("s", GOOD["s"].astype(str), "expected numbers, got an array of dtype <U"),
        ("s", GOOD["s"].astype(complex), "dtype complex128"),
        ("s", [[1, 1], [1]], "not an array"),
        ("s", np.ma.MaskedArray(GOOD["s"], GOOD["s"] > 0), r"the entry at \(0, 1\) is masked"),
    ],
)  # fmt: skip
def test_wrong_values(name, value, message):
    with pytest.raises(DataError, match=message):
        encode(**{name: value})


def test_sparse_arrays():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(DataError, match=r"\.toarray\(\)"):
        encode(s=sparse.csr_array(GOOD["s"]))


def test_names():
    with pytest.raises(DataError, match="'sigma' is not a name of this model"):
        encode(sigma=GOOD["s"])
    with pytest.raises(DataError, match=r"no array for s \(spin variable\). Given: v"):
        encode_state(MODEL, {"v": GOOD["v"]}, ["v", "s"], "float32")
    with pytest.raises(DataError, match="Did you mean 'W'"):
        encode_params(MODEL, {"w": np.zeros((3, 3)), "a": 1}, "float32")
    with pytest.raises(DataError, match="expected a dictionary"):
        encode_params(MODEL, [1], "float32")
    assert list(encode_state(MODEL, GOOD, ["s"], "float32")) == ["s"]


def test_params_are_projected():
    weights = np.arange(9.0).reshape(3, 3)
    encoded = encode_params(MODEL, {"W": weights, "a": 2}, "float64")
    np.testing.assert_array_equal(encoded["W"], (weights + weights.T) / 2 * (1 - np.eye(3)))
    assert encoded["a"].shape == () and encoded["a"].dtype == np.float64


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"W": np.zeros((3, 2))}, r"W \(parameter\): expected the shape \(3, 3\), got \(3, 2\)"),
        ({"W": np.full((3, 3), np.nan)}, r"expected finite float32 numbers, got nan at \(0, 0\)"),
        ({"W": np.full((3, 3), 1e200)}, "expected finite float32 numbers, got inf"),
        ({"a": 0.0}, "expected positive numbers, got 0.0"),
        ({"a": "1"}, "expected numbers"),
    ],
)
def test_wrong_params(changes, message):
    with pytest.raises(DataError, match=message):
        encode_params(MODEL, {"W": np.zeros((3, 3)), "a": 1.0, **changes}, "float32")


def test_copies_only_on_demand():
    state = encode()
    same = encode_state(MODEL, state, list(GOOD), "float32")
    new = encode_state(MODEL, state, list(GOOD), "float32", copy=True)
    assert all(same[name] is state[name] for name in GOOD)
    assert not any(np.may_share_memory(new[name], state[name]) for name in GOOD)


def test_random_states_of_a_chain_do_not_depend_on_the_others():
    many = random_state(MODEL, 1000, Stream(0, "start"), "float32")
    few = random_state(MODEL, 3, Stream(0, "start"), "float32")
    for name, array in few.items():
        np.testing.assert_array_equal(array, many[name][:3])
    encode_state(MODEL, many, list(many), "float32")
    assert set(np.unique(many["k"])) == set(range(5)) and set(np.unique(many["s"])) == {-1, 1}
    # Means of 6000 fair coins: 5.5 standard errors are 0.036, a false alarm of 4e-8.
    assert abs(many["v"].mean() - 0.5) < 0.036


def test_random_states_of_real_units_are_normal():
    real = Model("real", (Variable("z", (Axis(2),), Real()),), (), (), (), ())
    drawn = random_state(real, 20_000, Stream(0, "start"), "float32")["z"]
    assert drawn.dtype == np.float32
    # Five standard errors of a mean and of a variance.
    assert abs(drawn.mean()) < 5 / np.sqrt(40_000) and abs(drawn.var() - 1) < 5 * np.sqrt(2 / 40_000)
