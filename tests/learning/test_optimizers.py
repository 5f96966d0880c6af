"""Twenty steps of each optimiser against the formulas written out in plain NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pgmc.errors import ArgumentError
from pgmc.learning.optimizers import SGD, Adam, Optimizer

STEPS = 20


def run(
    optimizer: Optimizer, decayed: frozenset[str] = frozenset({"W"})
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The values after each step, for gradients that depend on the values."""
    values = start()
    memory = optimizer.prepare(values)
    path = []
    for step in range(STEPS):
        optimizer.step(values, gradients(values, step), memory, step=step, epoch=step / 10, decayed=decayed)
        path.append({name: value.copy() for name, value in values.items()})
    return values, path


def start() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(4, 3)), "b": rng.normal(size=4), "s": np.array(0.3)}


def gradients(values: dict[str, Any], step: int) -> dict[str, Any]:
    return {name: np.asarray(np.sin(3 * value + step) + value) for name, value in values.items()}


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_gradient_descent(momentum: float, nesterov: bool, decay: float) -> None:
    if nesterov and momentum == 0:
        pytest.skip("refused")
    values, _ = run(SGD(0.1, momentum, nesterov, decay))
    wanted = start()
    velocity = {name: np.zeros_like(value) for name, value in wanted.items()}
    for step in range(STEPS):
        for name, gradient in gradients(wanted, step).items():
            direction = gradient + (decay * wanted[name] if name == "W" else 0)
            velocity[name] = momentum * velocity[name] + direction
            along = direction + momentum * velocity[name] if nesterov else velocity[name]
            wanted[name] = wanted[name] - 0.1 * along
    for name in wanted:
        assert np.allclose(values[name], wanted[name], atol=1e-12), name


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_adam(decay: float) -> None:
    values, _ = run(Adam(0.01, weight_decay=decay))
    wanted = start()
    mean = {name: np.zeros_like(value) for name, value in wanted.items()}
    square = {name: np.zeros_like(value) for name, value in wanted.items()}
    for step in range(STEPS):
        for name, gradient in gradients(wanted, step).items():
            mean[name] = 0.9 * mean[name] + 0.1 * gradient
            square[name] = 0.999 * square[name] + 0.001 * gradient**2
            m, v = mean[name] / (1 - 0.9 ** (step + 1)), square[name] / (1 - 0.999 ** (step + 1))
            penalty = decay * wanted[name] if name == "W" else 0
            wanted[name] = wanted[name] - 0.01 * (m / (np.sqrt(v) + 1e-8) + penalty)
    for name in wanted:
        assert np.allclose(values[name], wanted[name], atol=1e-12), name


def test_a_schedule_is_a_function_of_the_epoch() -> None:
    seen: list[float] = []

    def rate(epoch: float) -> float:
        seen.append(epoch)
        return 0.1 / (1 + epoch)

    values, _ = run(SGD(rate))
    wanted = start()
    for step in range(STEPS):
        for name, gradient in gradients(wanted, step).items():
            wanted[name] = wanted[name] - 0.1 / (1 + step / 10) * gradient
    assert np.allclose(values["W"], wanted["W"], atol=1e-12)
    assert seen == [step / 10 for step in range(STEPS)]


def test_float32_stays_float32() -> None:
    for optimizer in (SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.1), Adam(0.1, weight_decay=0.1)):
        values = {"W": np.ones((2, 2), np.float32)}
        memory = optimizer.prepare(values)
        optimizer.step(values, {"W": np.ones((2, 2), np.float32)}, memory, step=0, epoch=0.0, decayed=frozenset({"W"}))
        assert {a.dtype for a in (*values.values(), *memory.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize(
    "make_wrong",
    [
        lambda: SGD(float("nan")),
        lambda: SGD(0.0),
        lambda: SGD(-0.1),
        lambda: SGD("0.1"),  # type: ignore[arg-type]
        lambda: SGD(0.1, momentum=1.0),
        lambda: SGD(0.1, momentum=-0.5),
        lambda: SGD(0.1, nesterov=True),
        lambda: SGD(0.1, weight_decay=float("inf")),
        lambda: Adam(float("inf")),
        lambda: Adam(beta1=1.0),
        lambda: Adam(beta2=float("nan")),
        lambda: Adam(epsilon=0.0),
        lambda: SGD(lambda epoch: float("nan")).rate(0.0),
    ],
)
def test_settings_out_of_range_are_refused(make_wrong: Callable[[], Any]) -> None:
    with pytest.raises(ArgumentError):
        make_wrong()
