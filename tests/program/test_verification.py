"""Programs prove themselves: right ones pass, whatever their form, and the report says what was compared."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest

import oracle
import pgmc
from energies import ENERGIES, Declare
from pgmc.analysis.shrink import shrink_model
from pgmc.compiler import Backend, Compiler
from pgmc.errors import InternalError, IntractableError
from pgmc.ir.canonical import canonical_text
from pgmc.ir.queries import Energy, FreeEnergy, Sweep
from pgmc.ir.symbols import Categorical, shape_of
from pgmc.program.verification.one_sweep import ALPHA, _likelihood_ratio
from pgmc.runtime.kernels import Dtype
from pgmc_models import convolutional_dbm
from random_energies import random_model

EVERYWHERE = {"energies", "conditionals", "transition matrix", "sweep, draw by draw", "sweep, statistically"}


def compiled(
    declare: Declare,
    dtype: Dtype = "float64",
    backend: Backend = "numpy",
    blocks: tuple[tuple[str, ...], ...] | None = None,
) -> pgmc.Program:
    m = pgmc.Model(declare.__name__)
    declare(m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        return pgmc.compile(m, dtype=dtype, backend=backend, blocks=blocks)


def names_of(report: object) -> set[str]:
    assert isinstance(report, pgmc.program.verification.report.Verification)
    return {check.name for check in report.checks}


# ---- models ----------------------------------------------------------------------------------------------------------


def large_layers(m: pgmc.Model) -> None:
    v, h = m.binary("v", 60), m.spin("h", 40)
    mask = np.zeros((60, 40))
    mask[30:, 20:] = 1
    W, b, c = m.param("W", (60, 40), mask=mask), m.param("b", 60, init=np.arange(60.0)), m.param("c", 40)
    A = m.constant("A", np.eye(60, 40, k=-35))
    m.energy(-(v @ W @ h) - b @ v - c @ h + v @ A @ h)


def large_labels(m: pgmc.Model) -> None:
    y, x, u = m.categorical("y", 8, states=10), m.binary("x", 12), m.input("u", 5)
    R, J, t = m.param("R", (10, 12)), m.param("J", (12, 12), symmetric=True, zero_diagonal=True), m.param("t", 5)
    i, k, j = pgmc.indices("i k j")
    m.energy(-y[i, k] * R[k, j] * x[j] - x @ J @ x - (t @ u) * x.sum() - y[2, 3] * x[3])


def positive_weights(m: pgmc.Model) -> None:
    x, s = m.binary("x", 5), m.spin("s", 4)
    w, u = m.param("w", 5, positive=True), m.param("u", (5, 4), mask=np.tri(5, 4))
    m.energy(pgmc.log(w) @ x - x @ u @ s)


def lattice(m: pgmc.Model) -> None:
    s, J, D = m.spin("s", (9, 6), boundary="periodic"), m.param("J", (9, 6)), m.param("D", (9, 6))
    x, y = pgmc.indices("x y")
    m.energy(-s[x, y] * J[x, y] * s[x, y + 1] - s[x, y] * D[x, y] * s[x + 1, y])


def ring_of_labels(m: pgmc.Model) -> None:
    y, J, b = m.categorical("y", 7, states=3, boundary="periodic"), m.param("J", 7), m.param("b", 3)
    x, k = pgmc.indices("x k")
    m.energy(-J[x] * y[x, k] * y[x + 2, k] - b[k] * y[x, k] * y[x - 1, k])


def domain_of_a_function(m: pgmc.Model) -> None:
    x, a = m.binary("x", 3), m.param("a", 3, init=100.0)
    m.energy(-pgmc.sqrt(a - 99).sum() * x.sum())


# ---- right programs pass ---------------------------------------------------------------------------------------------

HAND_WRITTEN = (
    "two_layers",
    "two_layers_of_spins",
    "coupled_spins",
    "triple_of_three_variables",
    "scalar_variables",
    "coupled_labels",
    "categorical_inputs",
    "real_inputs",
    "function_of_one_label",
    "hidden_in_closed_form",
    "untouched_variable",
    "no_term",
)


@pytest.mark.parametrize("name", HAND_WRITTEN)
def test_hand_written_models_pass(name: str) -> None:
    assert names_of(compiled(ENERGIES[name]).verify()) >= EVERYWHERE


@pytest.mark.parametrize("name", HAND_WRITTEN[::2])
def test_hand_written_models_pass_in_single_precision(name: str) -> None:
    assert names_of(compiled(ENERGIES[name], "float32").verify()) >= EVERYWHERE


@pytest.mark.parametrize("declare", [large_layers, large_labels, positive_weights, domain_of_a_function])
def test_large_and_constrained_models_pass(declare: Declare) -> None:
    report = compiled(declare, "float32").verify(seed=3)
    assert names_of(report) >= {*EVERYWHERE, "gradients", "log partition", "real size"}


@pytest.mark.parametrize("seed", range(30))
def test_random_models_pass(seed: int) -> None:
    model = random_model(seed, 64) or random_model(1000 + seed, 64)
    assert model is not None
    program = pgmc.Program(Compiler(model, ("float64", "float32")[seed % 3 == 0], "numpy"))
    assert names_of(program.verify(seed)) >= {*EVERYWHERE, "gradients", "log partition", "real size"}


@pytest.mark.parametrize(("declare", "sizes"), [(lattice, ("3x3", "4x2")), (ring_of_labels, ("3", "4"))])
def test_lattices_pass_with_odd_and_with_even_axes(declare: Declare, sizes: tuple[str, str]) -> None:
    report = compiled(declare).verify()
    assert [instance.split()[1] for instance in report.instances] == list(sizes)
    assert [check.what[:3] for check in report["energies"][:3:2]] == ["1. ", "2. "]
    assert names_of(report) >= {*EVERYWHERE, "gradients", "log partition", "real size"}


def test_imposed_blocks_are_those_that_are_proved() -> None:
    blocks = (("h",), ("g",), ("v",))
    report = compiled(ENERGIES["three_layers"], blocks=blocks).verify()
    (check,) = report["independence"]
    assert check.what.startswith("7 pairs")  # 3 + 1 + 3: v and g are no longer drawn together
    assert compiled(ENERGIES["three_layers"]).verify()["independence"][0].what.startswith("13 pairs")


@pytest.mark.parametrize(("name", "dtype"), [("two_layers", "float32"), ("coupled_spins", "float64")])
def test_compiled_kernels_pass(name: str, dtype: Dtype) -> None:
    report = compiled(ENERGIES[name], dtype, "numba").verify()
    assert names_of(report) >= {*EVERYWHERE, "gradients", "mean field", "real size"}
    assert "131072 chains" in str(report)


def test_the_same_seed_gives_the_same_report() -> None:
    program = compiled(ENERGIES["labels"])
    assert program.verify(seed=5) == program.verify(seed=5) != program.verify(seed=6)


# ---- the report ------------------------------------------------------------------------------------------------------


def test_the_report_is_a_table() -> None:
    report = compiled(ENERGIES["two_layers"]).verify()
    text, html = str(report), report._repr_html_()
    assert text.startswith("verified two_layers (float64, numpy): ")
    assert "small instance: v 4 binary, h 3 binary; 128 joint states" in text
    assert "not applicable: free energies: F(): units that would be summed out interact" in text
    assert all(check.passed and check.error <= check.tolerance for check in report.checks)
    assert f"false alarm {ALPHA:.0e}, detects a shift of" in text
    assert html.count("<tr>") == len(report.checks) + len(report.skipped) + 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.seed = 1  # type: ignore[misc]


def test_what_does_not_apply_is_listed_with_the_reason() -> None:
    report = compiled(ENERGIES["functions_of_sums"]).verify()
    reasons = {skipped.name: skipped.reason for skipped in report.skipped}
    assert set(reasons) >= {"free energies", "mean field", "independence"}
    assert "not a polynomial" in reasons["mean field"]


def test_a_model_that_stays_too_large_is_checked_at_real_size() -> None:
    def many_units(m: pgmc.Model) -> None:
        x, w = m.binary("x", 40), m.param("w", 40)
        m.energy(-(w @ x) - x[39] * x[0])

    report = compiled(many_units).verify()
    assert names_of(report) == {"real size"}
    assert "2^40 joint states" in report.skipped[0].reason


def test_a_model_without_finite_energies_is_an_error() -> None:
    def never_finite(m: pgmc.Model) -> None:
        x, a = m.binary("x", 2), m.param("a", 2)
        m.energy(pgmc.log(-1 - a**2) @ x)

    with pytest.raises(pgmc.NumericsError, match="not finite"):
        compiled(never_finite).verify()


def test_the_seed_is_checked() -> None:
    with pytest.raises(pgmc.ArgumentError, match="seed=-1"):
        compiled(ENERGIES["no_term"]).verify(seed=-1)


# ---- small instances -------------------------------------------------------------------------------------------------


def build(declare: Declare) -> pgmc.ir.model.Model:
    return compiled(declare).model


def test_axes_that_share_an_index_stay_equal() -> None:
    small = shrink_model(build(large_layers), 1 << 10)
    sizes = {symbol.name: shape_of(symbol) for symbol in small.symbols}
    assert sizes == {"v": (4,), "h": (3,), "W": (4, 3), "b": (4,), "c": (3,), "A": (4, 3)}
    assert canonical_text(small) == canonical_text(build(large_layers))


def test_masks_and_constants_keep_zeros_and_ones() -> None:
    small = shrink_model(build(large_layers), 1 << 10)
    for array in (small.parameters[0].constraint.mask, small.constants[0].value):
        assert 0 < np.count_nonzero(array) < array.size
    np.testing.assert_array_equal(small.parameters[1].init, [0, 1, 30, 35])


def test_positions_states_and_squares_keep_their_meaning() -> None:
    small = shrink_model(build(large_labels), 1 << 10)
    sizes = {symbol.name: shape_of(symbol) for symbol in small.symbols}
    assert sizes["y"] == (3,) and sizes["x"] == (4,) and sizes["J"] == (4, 4)
    assert small.variable("y").domain == Categorical(4)  # y[2, 3] is one of four states
    with pytest.raises(IntractableError, match="smallest instance"):
        shrink_model(build(large_labels), 64)


def test_maps_become_one_only_where_nothing_else_helps() -> None:
    model = pgmc.compile(convolutional_dbm.model(), backend="numpy").model
    with pytest.raises(IntractableError, match="smallest instance"):
        shrink_model(model, 1 << 12)
    small = shrink_model(model, 1 << 12, single=True)
    assert sorted(shape_of(variable)[0] for variable in small.variables[1:]) == [1, 2]
    assert shrink_model(build(large_layers), 1 << 10, single=True) == shrink_model(build(large_layers), 1 << 10)


@pytest.mark.parametrize("name", ENERGIES)
def test_every_small_instance_has_the_text_of_its_model(name: str) -> None:
    model = build(ENERGIES[name])
    small = shrink_model(model, 1 << 10)
    for own, full in zip(small.symbols, model.symbols, strict=True):
        assert all(s <= n for s, n in zip(shape_of(own), shape_of(full), strict=True))
    assert shrink_model(small, 1 << 10) == small


@pytest.mark.parametrize("declare", [large_layers, large_labels])
def test_the_generated_source_is_the_same(declare: Declare) -> None:
    program = compiled(declare)
    small = program.compiler.resized(shrink_model(program.model, 1 << 12))
    names = tuple(v.name for v in program.model.variables)
    for query in (Energy(), Sweep(names), FreeEnergy(names[1:]), FreeEnergy(names[:1])):
        sources = [
            c.stages(query).module.source
            for c in (program.compiler, small)
            if not isinstance(c.derive(query), pgmc.ir.answers.Refusal)
        ]
        assert len(set(sources)) <= 1


def test_a_text_that_changes_with_its_sizes_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgmc.analysis.shrink.canonical_text", lambda model: str(model.variables))
    with pytest.raises(InternalError, match="text changed"):
        shrink_model(build(large_layers), 1 << 10)


# ---- the statistical test --------------------------------------------------------------------------------------------


def test_the_statistic_is_that_of_the_oracle() -> None:
    rng = np.random.default_rng(0)
    for cells, draws in ((5, 300), (200, 5000)):
        law = rng.dirichlet(np.full(cells, 0.5))
        seen = rng.multinomial(draws, law)
        statistic, kept = _likelihood_ratio(seen, law)
        p_value = oracle.chi2_sf(statistic, kept - 1)  # type: ignore[no-untyped-call]
        assert p_value == pytest.approx(oracle.chi2_test(seen, law), rel=1e-9)  # type: ignore[no-untyped-call]
