"""What moves by Hamiltonian Monte Carlo are told and tell, as symbols of the model that a kernel is generated for."""

from __future__ import annotations

from dataclasses import replace

from pgmc.ir.model import Model
from pgmc.ir.symbols import Input, Parameter

STEP_SIZE = Input("pgmc_step_size", ())
"""Of the leapfrog steps of each chain."""

ACCEPTANCE = Input("pgmc_acceptance", ())
DIVERGENCES = Input("pgmc_divergences", ())
"""To these of each chain the probability of acceptance of every move is added, and 1 for a move that diverged."""

LEAPS = Parameter("pgmc_leaps", ())
JITTER = Parameter("pgmc_jitter", ())
"""How many leapfrog steps a move has, and by what share of itself their size varies at random from move to move."""

DIVERGED = 1000.0
"""The error of the energy of a move, in nats, beyond which it counts as diverged."""


def add_trajectories(model: Model) -> Model:
    """The model with these."""
    inputs = (*model.inputs, STEP_SIZE, ACCEPTANCE, DIVERGENCES)
    return replace(model, inputs=inputs, parameters=(*model.parameters, LEAPS, JITTER))
