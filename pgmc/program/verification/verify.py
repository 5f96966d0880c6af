"""The whole verification, one line for each check."""

from __future__ import annotations

from pgmc.compiler import Compiler
from pgmc.errors import IntractableError
from pgmc.program.verification import mixed_checks
from pgmc.program.verification.bound import check_bound
from pgmc.program.verification.exchange import check_exchange
from pgmc.program.verification.factors import check_factors
from pgmc.program.verification.instance import build_instances
from pgmc.program.verification.mean_field import check_mean_field
from pgmc.program.verification.mixed import build_mixed_instance, has_real_units
from pgmc.program.verification.mixed_draws import check_replay as check_mixed_replay
from pgmc.program.verification.mixed_draws import check_statistics
from pgmc.program.verification.moves import check_moves
from pgmc.program.verification.one_sweep import check_one_sweep
from pgmc.program.verification.real_size import check_real_size
from pgmc.program.verification.replay import check_replay
from pgmc.program.verification.report import Ledger, Verification
from pgmc.program.verification.score_checks import check_scores
from pgmc.program.verification.transitions import check_independence, check_transitions
from pgmc.program.verification.values import (
    check_conditionals,
    check_energies,
    check_free_energies,
    check_gradients,
    check_log_partition,
)
from pgmc.runtime.executable import Executable
from pgmc.runtime.streams import Stream

ENUMERATED = (
    check_energies,
    check_conditionals,
    check_independence,
    check_transitions,
    check_replay,
    check_one_sweep,
    check_exchange,
    check_factors,
    check_free_energies,
    check_gradients,
    check_log_partition,
    check_mean_field,
)


MIXED = (
    mixed_checks.check_energies,
    mixed_checks.check_conditionals,
    mixed_checks.check_marginals,
    check_mixed_replay,
    check_statistics,
    check_moves,
    mixed_checks.check_free_energies,
    mixed_checks.check_gradients,
    check_scores,
    mixed_checks.check_log_partition,
    mixed_checks.check_quadrature,
)
"""Of models with real units."""


def verify(compiler: Compiler, executable: Executable, seed: int = 0) -> Verification:
    """Compare a compiled program with brute force.

    Parameters
    ----------
    compiler, executable
        The program.
    seed
        Where random parameters, inputs, states and random numbers come from.

    Returns
    -------
    Verification

    Raises
    ------
    VerificationError
        At the first check that fails, with the smallest failing case.
    """
    stream = Stream(seed, "verify")
    ledger = Ledger(f"{compiler.model.name} ({compiler.dtype}, {compiler.backend})", stream.seed)
    if has_real_units(compiler.model):
        _verify_mixed(compiler, stream, ledger)
        ledger.begin("the program itself", several=False)
        check_real_size(compiler, executable, stream.child("real size"), ledger)
        check_bound(compiler, executable, stream, ledger)
        return ledger.verification()
    try:
        instances = build_instances(compiler, stream)
    except IntractableError as error:
        instances = []
        ledger.skip("all checks by enumeration", str(error))
    for instance in instances:
        ledger.begin(str(instance), several=len(instances) > 1)
        for check in ENUMERATED:
            check(instance, ledger)
    ledger.begin("the program itself", several=False)
    check_real_size(compiler, executable, stream.child("real size"), ledger)
    check_bound(compiler, executable, stream, ledger)
    return ledger.verification()


def _verify_mixed(compiler: Compiler, stream: Stream, ledger: Ledger) -> None:
    """The checks of a model with real units, on a small instance."""
    try:
        instance = build_mixed_instance(compiler, stream)
    except IntractableError as error:
        ledger.skip("all checks on a small instance", str(error))
        return
    ledger.begin(str(instance), several=False)
    for check in MIXED:
        check(instance, ledger)
