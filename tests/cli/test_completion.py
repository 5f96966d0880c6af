"""Models with an input are trained on halves of images."""

from __future__ import annotations

import numpy as np
import pytest

from pgmc.cli.app import run
from pgmc.cli.catalogue import find_spec, list_names
from pgmc.cli.completion import build_completion, has_inputs, outcome


def test_which_specifications_have_inputs() -> None:
    found = {name for name in list_names() if has_inputs(find_spec(name))}
    assert found >= {"conditional_rbm", "conditional_boltzmann_machine"}
    assert not found & {"rbm", "class_rbm", "lattice", "gaussian_rbm"}


def test_halves_of_images_are_the_input_and_the_first_variable() -> None:
    task = build_completion(find_spec("conditional_rbm"), "digits", {"hidden": 4}, {})
    assert task.train["v"].shape == task.train["u"].shape == (1437, 32)
    whole = np.concatenate([task.test["u"].reshape(-1, 8, 4), task.test["v"].reshape(-1, 8, 4)], axis=2)
    np.testing.assert_array_equal(whole.reshape(-1, 64), task.images.test >= 0.5)


def test_the_command_trains_and_completes(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "conditional_rbm", "digits", "--epochs", "1", "--hidden", "3"]) == 0
    printed = capsys.readouterr().out
    assert "right halves given left halves" in printed
    assert "log p(right half given left half) of test images, exact: -" in printed
    assert "their left halves completed" in printed


def test_without_a_log_likelihood_it_says_why() -> None:
    task = build_completion(find_spec("conditional_boltzmann_machine"), "digits", {"hidden": 3}, {})
    lines = outcome(task, task.program.init(0), 0, None)
    assert "joint states" in lines[0] and "pixels of samples that are right" in lines[1]
