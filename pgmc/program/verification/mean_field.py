"""Mean field against brute force: the bound is the ELBO of its means, and a pass sets each block to the best means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pgmc.ir.answers import Refusal
from pgmc.ir.queries import MeanField, MeanFieldBound, MeanFieldUpdate
from pgmc.ir.symbols import Binary, Categorical, Spin, shape_of
from pgmc.program.verification.instance import Instance, show
from pgmc.program.verification.report import Case, Ledger
from pgmc.program.verification.transitions import block_groups
from pgmc.runtime.groups import place_units

Array = npt.NDArray[Any]

ROWS, DAMPING = 6, 0.25


@dataclass(frozen=True)
class Factorised:
    """q(latents) = Π q(unit) beside observed units, for some rows: p of each value of each unit, ``(rows, values)``."""

    instance: Instance
    rows: Array
    factors: tuple[Array, ...]

    def weights(self, leave_out: int | None = None) -> Array:
        """q of every joint state, one unit left out of the product, ``(rows, states)``."""
        product = np.ones((len(self.rows), self.instance.table.size))
        for unit, factor in enumerate(self.factors):
            if unit != leave_out:
                product = product * factor[:, self.instance.table.codes[:, unit]]
        return product

    def bound(self) -> Array:
        """E_q[-E] + H(q) of each row."""
        entropies = [-np.where(f > 0, f * np.log(np.where(f > 0, f, 1.0)), 0.0).sum(axis=1) for f in self.factors]
        expected = (self.weights() * self.instance.energies[self.rows]).sum(axis=1)
        return np.asarray(sum(entropies) - expected)

    def best(self, unit: int) -> Array:
        """The best factor of a unit, the others as they are: p(value) ∝ exp(-E_q[E | value])."""
        weighted = self.weights(leave_out=unit) * self.instance.energies[self.rows]
        codes = self.instance.table.codes[:, unit]
        count = self.instance.table.counts[unit]
        logits = -np.stack([weighted[:, codes == value].sum(axis=1) for value in range(count)], axis=1)
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    def updated(self, units: list[int], damping: float) -> Factorised:
        """Some units set to their best factors at once, damped."""
        factors = list(self.factors)
        for unit in units:
            factors[unit] = (1.0 - damping) * self.best(unit) + damping * self.factors[unit]
        return Factorised(self.instance, self.rows, tuple(factors))


def check_mean_field(instance: Instance, ledger: Ledger) -> None:
    """The bound and one pass, with nothing observed and with the first variable observed."""
    for observed in [(), instance.names[:1]][: len(instance.names)]:
        answer = instance.compiler.derive(MeanFieldBound(observed))
        label = f"given {', '.join(observed)}" if observed else "of all variables"
        if isinstance(answer, Refusal):
            ledger.skip("mean field", f"{label}: {answer.reason}")
            continue
        generator = instance.stream.child(f"mean field {label}").generator()
        chosen = generator.integers(instance.table.size, size=ROWS)
        q = _random_factors(instance, observed, chosen, generator)
        state = _kernel_state(instance, observed, chosen, q)
        _check_bound(instance, ledger, observed, chosen, q, state, label)
        _check_pass(instance, ledger, observed, q, state, label)


def _random_factors(
    instance: Instance, observed: tuple[str, ...], chosen: Array, generator: np.random.Generator
) -> Factorised:
    """Random factors of the latent units; observed units have all their weight on their value."""
    table, dtype = instance.table, instance.compiler.dtype
    factors = []
    for k, unit in enumerate(table.units):
        if unit.variable.name in observed:
            factors.append((table.codes[chosen, k, None] == np.arange(unit.count)).astype(np.float64))
        else:
            drawn = generator.dirichlet(np.full(unit.count, 2.0), size=ROWS).astype(dtype).astype(np.float64)
            factors.append(drawn / drawn.sum(axis=1, keepdims=True))
    return Factorised(instance, np.arange(ROWS) % table.rows, tuple(factors))


def _kernel_state(instance: Instance, observed: tuple[str, ...], chosen: Array, q: Factorised) -> dict[str, Array]:
    """Observed values, inputs, and the means of the other variables, as kernels take them."""
    table, dtype = instance.table, instance.compiler.dtype
    state = {name: np.ascontiguousarray(values[q.rows]) for name, values in table.inputs.items()}
    for variable in instance.model.variables:
        if variable.name in observed:
            state[variable.name] = np.ascontiguousarray(table.states[variable.name][chosen])
        else:
            state[variable.name] = np.ascontiguousarray(_means(instance, q, variable.name), dtype=dtype)
    return state


def _means(instance: Instance, q: Factorised, name: str) -> Array:
    """The means of a variable: P(1), the mean of a spin, or the probabilities of the states."""
    variable = instance.model.variable(name)
    units = instance.table.units_of((name,))
    shape = (ROWS, *shape_of(variable))
    match variable.domain:
        case Binary() if variable.exclusive:
            return place_units(np.stack([q.factors[k][:, 1:] for k in units], axis=1), variable)
        case Categorical(states):
            return np.stack([q.factors[k] for k in units], axis=1).reshape(*shape, states)
        case Spin():
            return np.stack([2.0 * q.factors[k][:, 1] - 1.0 for k in units], axis=1).reshape(shape)
        case _:
            return np.stack([q.factors[k][:, 1] for k in units], axis=1).reshape(shape)


def _check_bound(
    instance: Instance,
    ledger: Ledger,
    observed: tuple[str, ...],
    chosen: Array,
    q: Factorised,
    state: dict[str, Array],
    label: str,
) -> None:
    got = instance.executable.evaluate(MeanFieldBound(observed), instance.params, state)["bound"]
    expected = q.bound()
    log_sum = -instance.table.free_energy(instance.energies, observed)[q.rows, chosen]
    tolerance = instance.tolerance("free energy")

    def case(place: tuple[int, ...]) -> Case:
        return Case((("means and data", show(state, place[0])),))

    scale = 1.0 + np.abs(log_sum) + np.abs(expected)
    ledger.compare(
        "mean field", f"the bound {label} is the ELBO of its means", got, expected, tolerance, scale=scale, case=case
    )
    ledger.compare(
        "mean field", f"the bound {label} is at most log Σ exp(-E)", np.maximum(got, log_sum), log_sum, tolerance,
        scale=scale, case=case,
    )  # fmt: skip


def _check_pass(
    instance: Instance,
    ledger: Ledger,
    observed: tuple[str, ...],
    q: Factorised,
    state: dict[str, Array],
    label: str,
) -> None:
    """A pass in parallel, then one of block after block in place."""
    latents = tuple(name for name in instance.names if name not in observed)
    params = instance.params | {"damping": np.asarray(DAMPING, dtype=instance.compiler.dtype)}
    before = {name: values.copy() for name, values in state.items()}
    together = instance.executable.evaluate(MeanFieldUpdate(observed), params, state)
    groups = block_groups(instance, instance.compiler.variable_blocks(latents))
    all_units = [unit for group in groups for unit in group]
    _compare_means(instance, ledger, before, together, q.updated(all_units, 0.0), latents, f"one parallel pass {label}")
    instance.executable.relax(MeanField(observed), params, state)
    for group in groups:
        q = q.updated(group, DAMPING)
    _compare_means(instance, ledger, before, state, q, latents, f"one damped pass {label}")


def _compare_means(
    instance: Instance,
    ledger: Ledger,
    before: dict[str, Array],
    got: dict[str, Array],
    q: Factorised,
    latents: tuple[str, ...],
    label: str,
) -> None:
    for name in latents:
        expected = _means(instance, q, name)

        def case(place: tuple[int, ...], name: str = name) -> Case:
            unit = f"{name}[{', '.join(map(str, place[1:]))}]"
            return Case((("means before", show(before, place[0])), ("mean", unit)))

        ledger.compare(
            "mean field",
            f"{label}: means of {name}",
            got[name],
            expected,
            instance.tolerance("mean"),
            scale=1.0 + np.abs(instance.energies).max(),
            case=case,
        )
