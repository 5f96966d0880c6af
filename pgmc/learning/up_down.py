"""Up-down: wake-sleep for a model whose top is an energy, with contrastive divergence there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pgmc.errors import ArgumentError
from pgmc.ir.definitions import names_behind
from pgmc.ir.queries import Ancestral, Energy, Ensemble, Gradient, Sweep
from pgmc.learning.guided import Guided
from pgmc.learning.objective import Array, Arrays, Estimate, Setup, Terms, check_count
from pgmc.runtime.guided import check_guide
from pgmc.runtime.joint_states import first_states


@dataclass(frozen=True)
class UpDown(Terms):
    """The up-down algorithm for a hybrid model, an energy with directed factors below it, and its guide.

    Up: latents are drawn from the guide at the data, and -log p of every directed factor is descended there. At the
    top, the variables without a factor start k sweeps of their energy from those draws, and the gradient is that of
    contrastive divergence. Down: what the sweeps end at is followed by one ancestral pass, and -log q of the guide is
    descended at the result. As in wake-sleep there is no common loss of the three.

    Parameters
    ----------
    k
        Sweeps of the top.

    Raises
    ------
    ArgumentError
        If k is below 1. At the start of a fit, if there is no guide, it does not draw the latent variables, or every
        variable has a directed factor.

    References
    ----------
    Hinton, Osindero and Teh (2006), A fast learning algorithm for deep belief nets, section 5 and appendix B.
    """

    k: int = 1

    def __post_init__(self) -> None:
        check_count("UpDown: k", self.k)

    def prepare(self, setup: Setup, params: Mapping[str, Array]) -> Arrays:
        """No state: the sweeps start from the data."""
        _check(setup)
        return {}

    def gradient(
        self, setup: Setup, params: Mapping[str, Array], batch: Arrays, step: int, state: Arrays, measure: bool
    ) -> Estimate:
        """The gradients of all three parts, on one draw for each row."""
        pair = _check(setup)
        awake = pair.infer(params, batch, 1, "wake", step)
        gradients = pair.gradient(setup.executable, params, awake)
        fantasies = self._dream(setup, params, awake, step)
        for name, value in _of_top(setup, params, fantasies).items():
            gradients[name] = (gradients[name] - value).astype(setup.executable.dtype)
        gradients |= pair.gradient(pair.guide, params, fantasies)
        metrics = {"bound_plus_log_z": float(pair.log_weights(params, awake).mean())} if measure else {}
        return Estimate(gradients, metrics, state)

    def validate(self, setup: Setup, params: Mapping[str, Array], data: Arrays) -> dict[str, float]:
        """The mean of E_q[-E(v, h) + log p of the factors - log q(h | v)], in nats: log Z less is a bound on log p."""
        pair = _check(setup)
        drawn = pair.infer(params, data, 1, "validation", 0)
        return {"bound_plus_log_z": float(pair.log_weights(params, drawn).mean())}

    def _dream(self, setup: Setup, params: Mapping[str, Array], awake: Arrays, step: int) -> Arrays:
        """All variables: those of the top after the sweeps, the others by a pass down."""
        executable, model = setup.executable, setup.executable.model
        top = _top(setup)
        state = {name: awake[name].copy() for name in top} | {name: awake[name] for name in setup.inputs}
        sweep = Sweep(top, ensemble=Ensemble.UNDIRECTED)
        top_stream, down_stream = setup.stream.child("top"), setup.stream.child("down")
        executable.sweep(
            sweep, params, state, stream=top_stream, first_sweep=step * self.k, sweeps=self.k, threads=setup.threads
        )
        below = tuple(v for v in model.variables if v.name in model.children)
        state |= first_states(below, len(next(iter(awake.values()))), executable.dtype)
        executable.sweep(
            Ancestral(model.children), params, state, stream=down_stream, first_sweep=step, threads=setup.threads
        )
        return state


def _check(setup: Setup) -> Guided:
    guide = check_guide(setup.executable, setup.observed, "UpDown")
    if not _top(setup):
        raise ArgumentError(
            f"UpDown: every variable of {setup.executable.model.name} has a directed factor, so there is no energy at "
            "the top. Use WakeSleep."
        )
    return Guided(setup, guide)


def _top(setup: Setup) -> tuple[str, ...]:
    """The variables without a directed factor."""
    model = setup.executable.model
    return tuple(v.name for v in model.variables if v.name not in model.children)


def _of_top(setup: Setup, params: Mapping[str, Array], state: Arrays) -> Arrays:
    """The mean gradient of the energy without directed factors."""
    model = setup.executable.model
    used = names_behind((term.body for term in model.terms if term.child is None), model.definitions)
    names = tuple(p.name for p in model.parameters if p.name in used)
    query = Gradient(Energy(Ensemble.UNDIRECTED), names)
    asked = {name: state[name] for name in (*_top(setup), *setup.inputs)}
    found = setup.executable.evaluate(query, params, asked, threads=setup.threads)
    return {name: np.asarray(value) for name, value in found.items()}
