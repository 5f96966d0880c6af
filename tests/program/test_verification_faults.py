"""Programs with a fault do not pass: each of these mistakes must be found, by a check whose name tells what is wrong.

Faults are put into the derivation, the schedule, the run time, and the interpreter of the backend "numpy".
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import pgmc
from energies import ENERGIES
from pgmc.analysis.block_search import BlockSearch
from pgmc.analysis.blocks import Block
from pgmc.derivation import conditionals, derivatives, ensembles, free_energy, mean_field
from pgmc.derivation.laws import Laws
from pgmc.ir.answers import BlockUpdate, Computation, ConditionalLaw, Quantity, SweepSchedule
from pgmc.ir.interpret import interpret_law
from pgmc.ir.nodes import ZERO, Access, Add, BatchMean, Mul, Number, Scalar, number
from pgmc.ir.rewrite import accesses, replace
from pgmc.ir.symbols import Variable, is_per_example
from pgmc.program.verification import exchange
from pgmc.runtime import interpreted, replicas
from pgmc.runtime.interpreted import InterpretedKernel

Patch = pytest.MonkeyPatch
Fault = Callable[[Patch], None]


def rbm(m: pgmc.Model) -> None:
    """Both layers of one size, so that the weights can be transposed."""
    v, h = m.binary("v", 3), m.binary("h", 3)
    W, b, c = m.param("W", (3, 3)), m.param("b", 3), m.param("c", 3)
    m.energy(-(v @ W @ h) - b @ v - c @ h)


def dense(m: pgmc.Model) -> None:
    v, s = m.binary("v", 3), m.spin("s", 3)
    U, W = m.param("U", (3, 3)), m.param("W", (3, 3))
    m.energy(-(v @ U @ v) - v @ W @ s)


def square_labels(m: pgmc.Model) -> None:
    """As many units as states, so that the two axes of logits can be exchanged."""
    y, h = m.categorical("y", 3, states=3), m.binary("h", 2)
    R, b = m.param("R", (3, 3, 2)), m.param("b", (3, 3))
    i, k, j = pgmc.indices("i k j")
    m.energy(-y[i, k] * R[i, k, j] * h[j] - b[i, k] * y[i, k])


def wide_rbm(m: pgmc.Model) -> None:
    v, h = m.binary("v", 30), m.binary("h", 20)
    W, b = m.param("W", (30, 20)), m.param("b", 30)
    m.energy(-(v @ W @ h) - b @ v)


MODELS: dict[str, Callable[[pgmc.Model], None]] = {
    **ENERGIES,
    "rbm": rbm,
    "dense": dense,
    "square_labels": square_labels,
    "wide_rbm": wide_rbm,
}


def compiled(name: str) -> pgmc.Program:
    m = pgmc.Model("model")
    MODELS[name](m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        return pgmc.compile(m, dtype="float64", backend="numpy")


def before(patch: Patch, owner: Any, name: str, change: Callable[..., Any]) -> None:
    """``owner.name`` returns what ``change`` makes of its answer and of its arguments."""
    right = getattr(owner, name)
    patch.setattr(owner, name, lambda *given, **named: change(right(*given, **named), *given))


# ---- conditionals ----------------------------------------------------------------------------------------------------


def with_law(change: Callable[[ConditionalLaw], Scalar]) -> Fault:
    """A derivation that gets the logits of conditionals wrong."""

    def wrong(law: ConditionalLaw, *_: Any) -> ConditionalLaw:
        return dataclasses.replace(law, parameters=(("logits", change(law)),))

    return lambda patch: before(patch, Laws, "law", wrong)


def scaled(factor: int) -> Callable[[ConditionalLaw], Scalar]:
    return lambda law: Mul((number(factor), law.logits))


def transposed(law: ConditionalLaw) -> Scalar:
    def swap(node: Scalar) -> Scalar | None:
        if isinstance(node, Access) and len(node.positions) == 2 and not is_per_example(node.symbol):
            return Access(node.symbol, node.positions[::-1])
        return None

    return replace(law.logits, swap)


def summands(node: Scalar) -> tuple[Scalar, ...]:
    return node.terms if isinstance(node, Add) else (node,)


def without_bias(law: ConditionalLaw) -> Scalar:
    kept = [t for t in summands(law.logits) if any(isinstance(a.symbol, Variable) for a in accesses(t))]
    assert len(kept) < len(summands(law.logits)), law
    return Add(tuple(kept))


def diagonal_twice(law: ConditionalLaw) -> Scalar:
    return Add((*summands(law.logits), *(t for t in summands(law.logits) if is_diagonal(t))))


def is_diagonal(term: Scalar) -> bool:
    return any(len(a.positions) == 2 and a.positions[0] == a.positions[1] for a in accesses(term))


def states_and_units_exchanged(patch: Patch) -> None:
    def wrong(answer: Computation, law: ConditionalLaw) -> Computation:
        indices = answer.quantities[0].indices
        return Computation((Quantity("logits", indices[::-1] if law.state else indices, law.logits),))

    before(patch, conditionals, "conditional_computation", wrong)


# ---- schedules -------------------------------------------------------------------------------------------------------


def with_schedule(change: Callable[[tuple[BlockUpdate, ...]], tuple[BlockUpdate, ...]]) -> Fault:
    def fault(patch: Patch) -> None:
        import pgmc.schedule.sweeps as sweeps

        before(patch, sweeps, "build_sweep_schedule", lambda answer, *_: SweepSchedule(change(answer.updates)))

    return fault


def with_blocks(change: Callable[[tuple[Block, ...]], tuple[Block, ...]]) -> Fault:
    return lambda patch: before(patch, BlockSearch, "_find_blocks", lambda blocks, *_: change(blocks))


def all_at_once(updates: tuple[BlockUpdate, ...]) -> tuple[BlockUpdate, ...]:
    laws = tuple(law for update in updates for law in update.laws)
    return (dataclasses.replace(updates[0], laws=laws, mode="parallel"),)


def in_parallel(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    return tuple(dataclasses.replace(block, mode="parallel") for block in blocks)


def first_only(updates: tuple[BlockUpdate, ...]) -> tuple[BlockUpdate, ...]:
    return updates[:1]


def never_backward(updates: tuple[BlockUpdate, ...]) -> tuple[BlockUpdate, ...]:
    return tuple(dataclasses.replace(update, backward=False) for update in updates)


# ---- draws -----------------------------------------------------------------------------------------------------------


def block_skipped_by_the_kernel(patch: Patch) -> None:
    def one_less(self: InterpretedKernel, panel: Any, launch: Any) -> None:
        assert isinstance(self.answer, SweepSchedule)
        short = InterpretedKernel(SweepSchedule(self.answer.updates[:-1]), self._model, self._dtype)
        right(short, panel, launch)

    right = InterpretedKernel.sweep
    patch.setattr(InterpretedKernel, "sweep", one_less)


def masks_ignored(patch: Patch) -> None:
    right = InterpretedKernel._draw

    def unmasked(self: Any, law: Any, units: Any, panel: Any, numbers: Any) -> None:
        right(self, law, units, dataclasses.replace(panel, masks={}), numbers)

    patch.setattr(InterpretedKernel, "_draw", unmasked)


def stale_states(patch: Patch) -> None:
    """Every unit is drawn given the state at the beginning of the launch."""
    sweep, law = InterpretedKernel.sweep, interpret_law
    old: dict[str, Any] = {}

    def remember(self: InterpretedKernel, panel: Any, launch: Any) -> None:
        old.clear()
        old.update({name: values.copy() for name, values in panel.state.items()})
        sweep(self, panel, launch)

    patch.setattr(InterpretedKernel, "sweep", remember)
    patch.setattr("pgmc.runtime.executable.count_threads", lambda threads: 1)
    patch.setattr(interpreted, "interpret_law", lambda own, arrays, **how: law(own, {**arrays, **old}, **how))


def one_number_for_a_block(patch: Patch) -> None:
    before(patch, interpreted, "random_words", lambda words, *_: np.broadcast_to(words[:, :1], words.shape))


def rounded_probabilities(patch: Patch) -> None:
    def rounded(_: Any, logits: Any, words: Any, dtype: str) -> Any:
        from pgmc.runtime.streams import uniforms

        return uniforms(words, dtype) < np.rint(256 / (1 + np.exp(-logits))) / 256

    before(patch, interpreted, "draw_on", rounded)


def same_numbers_in_every_sweep(patch: Patch) -> None:
    right = interpreted._Numbers
    patch.setattr(interpreted, "_Numbers", lambda key, chains, sweep: right(key, chains, 0))


# ---- ensembles -------------------------------------------------------------------------------------------------------


def temperature_left_out_of_a_term(patch: Patch) -> None:
    def wrong(made: Any, model: Any, *_: Any) -> Any:
        return made if made is model else dataclasses.replace(made, terms=(*made.terms[:-1], model.terms[-1]))

    before(patch, ensembles, "apply_ensemble", wrong)


def base_with_the_wrong_sign(patch: Patch) -> None:
    def wrong(term: Any, *_: Any) -> Any:
        return dataclasses.replace(term, body=Mul((number(-1), term.body)))

    before(patch, ensembles, "_base_term", wrong)


# ---- free energies, gradients, log Z, mean field ---------------------------------------------------------------------


def free_energy_without_a_term(patch: Patch) -> None:
    def wrong(node: Scalar, *_: Any) -> Scalar:
        return ZERO if len(accesses(node)) == 2 else node  # the biases of what is observed

    before(patch, free_energy, "_at_reference", wrong)


def free_energy_without_a_normaliser(patch: Patch) -> None:
    before(patch, free_energy, "log_normaliser_of", lambda node, law: ZERO if law.target.name == "h" else node)


def gradient_without_weights(patch: Patch) -> None:
    right = InterpretedKernel.evaluate

    def unweighted(self: Any, panel: Any) -> Any:
        weights = None if panel.weights is None else np.full_like(panel.weights, 1.0 / len(panel.weights))
        return right(self, dataclasses.replace(panel, weights=weights))

    patch.setattr(InterpretedKernel, "evaluate", unweighted)


def with_gradient(change: Callable[[Quantity], Quantity]) -> Fault:
    def wrong(answer: Computation, *_: Any) -> Computation:
        return Computation(tuple(map(change, answer.quantities)))

    return lambda patch: before(patch, derivatives, "derive_gradient", wrong)


def halved(quantity: Quantity) -> Quantity:
    return dataclasses.replace(quantity, body=Mul((Number(number(1).value / 2), quantity.body)))


def weights_transposed(quantity: Quantity) -> Quantity:
    return dataclasses.replace(quantity, indices=quantity.indices[::-1])


def without_constants(quantity: Quantity) -> Quantity:
    kept = replace(quantity.body, lambda n: ZERO if isinstance(n, BatchMean) and len(accesses(n)) == 1 else None)
    return dataclasses.replace(quantity, body=kept)


def energy_without_a_term(patch: Patch) -> None:
    import pgmc.derivation.energy as energy

    right = energy.derive_energy
    patch.setattr(energy, "derive_energy", lambda model: right(dataclasses.replace(model, terms=model.terms[1:])))


def a_state_left_out_of_log_z(patch: Patch) -> None:
    def wrong(chunks: Iterator[dict[str, Any]], *_: Any) -> Iterator[dict[str, Any]]:
        return ({name: values[1:] for name, values in chunk.items()} for chunk in chunks)

    before(patch, pgmc.runtime.enumeration, "state_chunks", wrong)


def mean_field_without_entropy(patch: Patch) -> None:
    before(patch, mean_field, "_entropy", lambda node, *_: ZERO)


def mean_field_at_twice_the_field(patch: Patch) -> None:
    before(
        patch,
        mean_field,
        "_best_mean",
        lambda node, *_: dataclasses.replace(node, argument=Mul((number(2), node.argument))),
    )


def wrong_beyond_the_tenth_unit(patch: Patch) -> None:
    """A fault that no small instance can show."""
    right = InterpretedKernel.evaluate

    def wrong(self: Any, panel: Any) -> Any:
        answers = right(self, panel)
        if "logits" in answers:
            answers["logits"][:, 10:] = 0
        return answers

    patch.setattr(InterpretedKernel, "evaluate", wrong)


# ---- replica exchange ------------------------------------------------------------------------------------------------


def swaps_with_the_wrong_sign(patch: Patch) -> None:
    right = replicas.swap_neighbours

    def wrong(energies: Any, betas: Any, *given: Any) -> Any:
        return right(-energies, betas, *given)

    patch.setattr(replicas, "swap_neighbours", wrong)
    patch.setattr(exchange, "swap_neighbours", wrong)


def swaps_that_ignore_the_temperatures(patch: Patch) -> None:
    right = replicas.swap_neighbours

    def wrong(energies: Any, betas: Any, *given: Any) -> Any:
        return right(energies, np.broadcast_to(np.arange(betas.shape[1]), betas.shape), *given)

    patch.setattr(replicas, "swap_neighbours", wrong)


def same_pairs_in_every_round(patch: Patch) -> None:
    before(patch, replicas, "swapped_pairs", lambda pairs, rungs, turn: np.arange(0, rungs - 1, 2))


def replicas_that_keep_their_temperature(patch: Patch) -> None:
    right = replicas.Replicas._sweep

    def wrong(self: Any, first: int, sweeps: int, betas: Any) -> None:
        kept = self.places
        self.places = replicas.Places.start(*kept.rungs.shape)
        right(self, first, sweeps, betas)
        self.places = kept

    patch.setattr(replicas.Replicas, "_sweep", wrong)


def energies_of_before(patch: Patch) -> None:
    right = replicas.Replicas._sweep

    def wrong(self: Any, *given: Any) -> None:
        old = self.energies()
        right(self, *given)
        self.known = old

    patch.setattr(replicas.Replicas, "_sweep", wrong)


FAULTS: dict[str, tuple[str, Fault, str]] = {
    "sign of a logit": ("rbm", with_law(scaled(-1)), "conditionals"),
    "factor 2 of a spin": ("two_layers_of_spins", with_law(scaled(2)), "conditionals"),
    "transposed weights": ("rbm", with_law(transposed), "conditionals"),
    "missing bias": ("rbm", with_law(without_bias), "conditionals"),
    "diagonal counted twice": ("dense", with_law(diagonal_twice), "conditionals"),
    "wrong axis of a categorical": ("square_labels", states_and_units_exchanged, "conditionals"),
    "energy without a term": ("rbm", energy_without_a_term, "energies"),
    "neighbours updated at once": ("rbm", with_schedule(all_at_once), "independence"),
    "a dense layer updated at once": ("dense", with_blocks(in_parallel), "independence"),
    "a block skipped": ("rbm", with_schedule(first_only), "transition matrix"),
    "backward is forward": ("dense", with_schedule(never_backward), "transition matrix"),
    "a block skipped by the kernel": ("rbm", block_skipped_by_the_kernel, "sweep, draw by draw"),
    "stale state": ("rbm", stale_states, "sweep, draw by draw"),
    "masks ignored": ("rbm", masks_ignored, "sweep, draw by draw"),
    "one random number for a block": ("rbm", one_number_for_a_block, "sweep, draw by draw"),
    "probabilities rounded to 1/256": ("rbm", rounded_probabilities, "sweep, draw by draw"),
    "the same numbers in every sweep": ("rbm", same_numbers_in_every_sweep, "sweep, draw by draw"),
    "wrong temperature": ("rbm", temperature_left_out_of_a_term, "sweep, draw by draw"),
    "base with the wrong sign": ("rbm", base_with_the_wrong_sign, "sweep, draw by draw"),
    "swaps with the wrong sign": ("rbm", swaps_with_the_wrong_sign, "replica exchange"),
    "swaps that ignore the temperatures": ("rbm", swaps_that_ignore_the_temperatures, "replica exchange"),
    "swaps of the same pairs in every round": ("rbm", same_pairs_in_every_round, "replica exchange"),
    "replicas that keep their temperature": ("rbm", replicas_that_keep_their_temperature, "replica exchange"),
    "energies of before the sweep": ("rbm", energies_of_before, "replica exchange"),
    "free energy without a term": ("rbm", free_energy_without_a_term, "free energies"),
    "free energy without a normaliser": ("rbm", free_energy_without_a_normaliser, "free energies"),
    "gradient without weights": ("rbm", gradient_without_weights, "gradients"),
    "half a gradient": ("rbm", with_gradient(halved), "gradients"),
    "transposed gradient": ("rbm", with_gradient(weights_transposed), "gradients"),
    "gradient without biases": ("rbm", with_gradient(without_constants), "gradients"),
    "a state left out of log Z": ("rbm", a_state_left_out_of_log_z, "log partition"),
    "mean field without entropy": ("rbm", mean_field_without_entropy, "mean field"),
    "mean field at twice the field": ("rbm", mean_field_at_twice_the_field, "mean field"),
    "a fault of large sizes": ("wide_rbm", wrong_beyond_the_tenth_unit, "real size"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(fault: str, monkeypatch: Patch) -> None:
    name, put_in, check = FAULTS[fault]
    put_in(monkeypatch)
    with pytest.raises(pgmc.VerificationError, match=rf"^model \(float64, numpy\): {check}: ") as caught:
        compiled(name).verify()
    text = str(caught.value)
    assert "error" in text and "tolerance" in text and "expected" in text and "got" in text


def test_the_smallest_failing_case_is_shown(monkeypatch: Patch) -> None:
    FAULTS["missing bias"][1](monkeypatch)
    with pytest.raises(pgmc.VerificationError) as caught:
        compiled("rbm").verify()
    lines = [line.split() for line in str(caught.value).splitlines()]
    assert ["state", "v", "=", "[0", "0", "0],", "h", "=", "[0", "0", "0]"] in lines
    assert ["got", "0.5"] in lines
    assert any(line[:2] == ["unit", "v[0],"] for line in lines)
