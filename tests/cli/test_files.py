"""A user's own data files become examples, or the reason why they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pgmc.cli.datasets import load_images
from pgmc.cli.files import read_examples
from pgmc.errors import ArgumentError

VALUES = np.random.default_rng(0).integers(0, 2, (10, 9)).astype(float)
LABELS = np.arange(10) % 3


def test_npy_of_images(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", VALUES.reshape(10, 3, 3))
    flat, labels, shape = read_examples(tmp_path / "a.npy")
    np.testing.assert_array_equal(flat, VALUES)
    assert shape == (3, 3) and not labels.any()


def test_npz_with_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", data=VALUES[:, :8], labels=LABELS)
    flat, labels, shape = read_examples(tmp_path / "a.npz")
    np.testing.assert_array_equal(flat, VALUES[:, :8])
    np.testing.assert_array_equal(labels, LABELS)
    assert shape == (1, 8)


@pytest.mark.parametrize("header", [True, False])
def test_csv(tmp_path: Path, header: bool) -> None:
    rows = [",".join(map(str, row)) for row in VALUES]
    if header:
        rows = [
            ",".join(["labels", *(f"p{k}" for k in range(9))]),
            *(f"{k},{row}" for k, row in zip(LABELS, rows, strict=True)),
        ]
    (tmp_path / "a.csv").write_text("\n".join(rows) + "\n")
    flat, labels, shape = read_examples(tmp_path / "a.csv")
    np.testing.assert_array_equal(flat, VALUES)
    np.testing.assert_array_equal(labels, LABELS if header else 0 * LABELS)
    assert shape == (3, 3)


def test_a_fifth_is_held_out_and_nothing_is_lost(tmp_path: Path) -> None:
    values = np.arange(20)[:, None] / 20 * np.ones(4)
    np.save(tmp_path / "a.npy", values)
    images = load_images(str(tmp_path / "a.npy"))
    assert (len(images.train), len(images.test)) == (16, 4)
    assert sorted(np.concatenate([images.train, images.test])[:, 0]) == sorted(values[:, 0])
    assert images.settings.batch_size == 16


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.npy", None, "cannot be read"),
        ("a.npy", b"not an array", "cannot be read"),
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"1,0\n1\n", "line 2 has 1 columns, the first one 2"),
        ("a.csv", b"1,0\n1,7\n", r"example 1 has 7 in column 1\. Numbers must lie in \[0, 1\]"),
        ("a.csv", b"1,0\n1,nan\n", "example 1 has nan in column 1"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ArgumentError, match=message):
        read_examples(tmp_path / name)


def test_bad_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(4))
    with pytest.raises(ArgumentError, match=r"\(n, pixels\) or \(n, rows, columns\), not \(4,\)"):
        read_examples(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", one=VALUES, two=VALUES)
    with pytest.raises(ArgumentError, match="call the examples data"):
        read_examples(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", data=VALUES, labels=LABELS[:3])
    with pytest.raises(ArgumentError, match="10 examples, but labels of shape"):
        read_examples(tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", VALUES[:4])
    with pytest.raises(ArgumentError, match="4 examples"):
        load_images(str(tmp_path / "a.npy"))
