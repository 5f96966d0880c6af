"""Generated texts, word for word. After a change that is meant, write them anew: python tests/support/golden.py"""

from __future__ import annotations

import pytest

from golden import FOLDER, KERNELS, texts


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return texts()


@pytest.mark.parametrize("kind", ["numba", "numpy"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_texts_are_as_they_were(kernel: str, kind: str, generated: dict[str, str]) -> None:
    name = f"{kernel}.{kind}.txt"
    assert generated[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_every_file_is_one_of_the_kernels(generated: dict[str, str]) -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(generated)


def test_texts_are_the_same_every_time(generated: dict[str, str]) -> None:
    assert texts() == generated
