"""What objectives with an inference net have in common: draws from it, draws from the model, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pgmc.errors import ArgumentError
from pgmc.ir.queries import Energy, Gradient
from pgmc.learning.objective import Array, Arrays, Setup
from pgmc.runtime.executable import Executable
from pgmc.runtime.guided import check_guide, draw_ancestrally, joint_energies, state_of
from pgmc.runtime.joint_states import repeat_rows


@dataclass(frozen=True)
class Guided:
    """A model with its guide: p(observed, latents) and q(latents | observed)."""

    setup: Setup
    guide: Executable

    @classmethod
    def check(cls, setup: Setup, objective: str) -> Guided:
        """The pair.

        Raises
        ------
        ArgumentError
            If the model has no guide, the guide is not for the latent variables, or a variable has no directed factor.
        """
        model = setup.executable.model
        guide = check_guide(setup.executable, setup.observed, objective)
        bare = [v.name for v in model.variables if v.name not in model.children]
        if bare:
            raise ArgumentError(
                f"{objective}: {', '.join(bare)} has no directed factor, so p is known up to log Z only, which this "
                "objective does not estimate. Give it a factor, or train with UpDown, which sweeps what has none."
            )
        return cls(setup, guide)

    def infer(self, params: Mapping[str, Array], batch: Arrays, samples: int, stream: str, step: int) -> Arrays:
        """Every row of the batch ``samples`` times, with latents drawn from the guide."""
        rows = len(next(iter(batch.values()))) * samples
        own = self.setup.stream.child(stream)
        return draw_ancestrally(self.guide, params, repeat_rows(batch, samples), rows, own, step, self.setup.threads)

    def dream(self, params: Mapping[str, Array], rows: int, given: Arrays, step: int) -> Arrays:
        """Draws of all variables from the model; ``given`` holds its inputs."""
        own = self.setup.stream.child("dream")
        return draw_ancestrally(self.setup.executable, params, given, rows, own, step, self.setup.threads)

    def log_weights(self, params: Mapping[str, Array], state: Arrays) -> Array:
        """log p(observed, latents) - log q(latents | observed) of each row, in nats."""
        of_guide = joint_energies(self.guide, params, state, self.setup.threads)
        return of_guide - joint_energies(self.setup.executable, params, state, self.setup.threads)

    def gradient(
        self, executable: Executable, params: Mapping[str, Array], state: Arrays, weights: Array | None = None
    ) -> Arrays:
        """The weighted sum (by default the mean) over rows of -∂ log p/∂θ, or of -∂ log q/∂φ for the guide."""
        query = Gradient(Energy(), tuple(p.name for p in executable.model.parameters))
        asked = state_of(executable, state)
        return executable.evaluate(query, params, asked, weights=weights, threads=self.setup.threads)
