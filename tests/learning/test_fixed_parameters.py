"""Parameters that gradients leave alone, and callbacks that give parameters new values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pgmc
from pgmc.learning.fit import fit
from pgmc.learning.report import EpochReport

X = np.random.default_rng(0).integers(2, size=(20, 3))


def centred() -> pgmc.Model:
    m = pgmc.Model("centred")
    x = m.binary("x", 3)
    U = m.param("U", (3, 3), symmetric=True, zero_diagonal=True)
    b, mu = m.param("b", 3), m.param("mu", 3, init=0.5, fixed=True)
    m.energy(-((x - mu) @ U @ (x - mu)) - (x - mu) @ b)
    return m


def train(epochs: int, *callbacks: Any, checkpoint: Path | None = None) -> pgmc.Fit:
    program = pgmc.compile(centred(), dtype="float64", backend="numpy")
    return fit(
        program.executable,
        program.init(0),
        {"x": X},
        pgmc.ExactLikelihood(),
        pgmc.SGD(0.5, weight_decay=0.1),
        epochs=epochs,
        callbacks=callbacks,
        progress=False,
        checkpoint=checkpoint,
    )


def move_offsets(report: EpochReport) -> dict[str, Any]:
    """The means of the data as offsets, and the biases under which the law stays the same."""
    new = X.mean(axis=0)
    return {"mu": new, "b": report.params["b"] + 2 * report.params["U"] @ (new - report.params["mu"])}


def test_a_fixed_parameter_keeps_its_value() -> None:
    params = train(3).params
    assert (params["mu"] == 0.5).all()
    assert np.abs(params["U"]).max() > 0 and np.abs(params["b"]).max() > 0


def test_the_gradient_of_a_fixed_parameter_is_projected_to_zero() -> None:
    program = pgmc.compile(centred(), dtype="float64", backend="numpy")
    gradient = program.energy_gradient(program.init(0), {"x": X})
    assert (gradient["mu"] == 0).all() and (gradient["b"] != 0).any()


def test_a_callback_gives_parameters_new_values() -> None:
    params = train(1, move_offsets).params
    np.testing.assert_allclose(params["mu"], X.mean(axis=0), rtol=0, atol=1e-15)


def test_offsets_that_move_leave_the_law_as_it_is() -> None:
    program = pgmc.compile(centred(), dtype="float64", backend="numpy")
    moved = [program.log_likelihood(fitted.params, {"x": X}) for fitted in (train(1), train(1, move_offsets))]
    np.testing.assert_allclose(*moved, rtol=0, atol=1e-12)


def test_new_values_are_in_the_checkpoint(tmp_path: Path) -> None:
    whole = train(4, move_offsets).params
    train(2, move_offsets, checkpoint=tmp_path)
    resumed = train(4, move_offsets, checkpoint=tmp_path).params
    for name, values in whole.items():
        np.testing.assert_array_equal(resumed[name], values)


@pytest.mark.parametrize(("given", "complaint"), [({"nu": 1.0}, "nu"), ({"mu": np.zeros(2)}, "mu")])
def test_values_of_another_shape_or_name_are_refused(given: Any, complaint: str) -> None:
    with pytest.raises(pgmc.DataError, match=complaint):
        train(1, lambda report: given)


def test_a_saved_model_remembers(tmp_path: Path) -> None:
    m = centred()
    pgmc.save(tmp_path / "centred.pgmc", m, m.init(0))
    again, _ = pgmc.load(tmp_path / "centred.pgmc")
    assert {p.name: p.constraint.fixed for p in again.build().parameters} == {"U": False, "b": False, "mu": True}
