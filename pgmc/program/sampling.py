"""Methods of ``Program`` that draw samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pgmc.program.arguments import Params, State

if TYPE_CHECKING:
    from pgmc.program.program import Program
    from pgmc.runtime.hamiltonian import HMC
    from pgmc.runtime.samples import Samples
    from pgmc.runtime.tempering import Tempering


def sample(
    self: Program,
    params: Params,
    chains: int = 100,
    sweeps: int = 1000,
    inputs: State | None = None,
    clamp: Mapping[str, Any] | None = None,
    init: Any = None,
    observe: Any = None,
    inverse_temperature: Any = 1.0,
    keep: int = 1,
    thin: int = 1,
    seed: int | None = None,
    threads: int | None = None,
    tempering: Tempering | None = None,
    sampler: HMC | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Samples:
    """Run chains of block Gibbs sampling, p(x) ∝ exp(-β E(x)) with β = 1 unless another is given.

    Parameters
    ----------
    params : mapping of str to array
        Every parameter, of the declared shape.
    chains, sweeps : int
        Number of chains, and of sweeps each of them makes.
    inputs : mapping of str to array, optional
        Inputs of a conditional model, ``shape`` or ``(chains, *shape)``.
    clamp : mapping of str to array, optional
        Values that are kept, ``shape`` or ``(chains, *shape)``; masked entries of a masked array stay free.
    init : mapping of str to array or ``Samples.last``, optional
        Where chains start; uniform states by default. ``Samples.last`` goes on where it stopped.
    observe : mapping of str to callable, optional
        Name -> function of the state, recorded in place of states.
    inverse_temperature : float or array
        β >= 0: a number, one per chain, or one per sweep, which anneals. Where chains and sweeps are as many, the
        shape ``(1, chains)`` or ``(sweeps, 1)`` tells which; ``(sweeps, chains)`` gives both.
    keep, thin : int
        Every ``thin``-th of the last ``keep * thin`` sweeps is recorded.
    seed : int, optional
        The same seed gives the same samples, whatever ``threads``.
    threads : int, optional
        One per core by default.
    tempering : Tempering, optional
        A ladder of replicas for each chain, which swap places (parallel tempering). Recorded is the replica at
        β = 1; the result has ``swap_rates`` and ``round_trips``.
    sampler : HMC, optional
        Hamiltonian Monte Carlo for the real and positive units, such as ``pgmc.HMC(steps=20)``, in place of Gibbs
        updates of them; the result has ``moves``, with what was accepted.
    progress : callable, optional
        Called as ``progress(done, sweeps)`` from time to time.

    Returns
    -------
    Samples
        Name -> ``(chains, keep, *shape)``.

    Raises
    ------
    ArgumentError
        If a count, the seed, a temperature or the ladder is out of its range.
    DataError
        If an array has a wrong name, shape or value.
    """
    from pgmc.runtime.chains import run_chains

    return run_chains(
        self.executable,
        self.compiler.encode_params(params),
        chains=chains,
        sweeps=sweeps,
        inputs=inputs,
        clamp=clamp,
        init=init,
        observe=observe,
        inverse_temperature=inverse_temperature,
        tempering=tempering,
        sampler=sampler,
        keep=keep,
        thin=thin,
        seed=seed,
        threads=threads,
        progress=progress,
    )
