"""What a fault is, and which tests should see it."""

from __future__ import annotations

from dataclasses import dataclass

FUZZ = ("tests/fuzz/test_fuzz.py", "-k", "texts")
CONDITIONALS = ("tests/derivation/test_conditionals.py",)
FREE_ENERGIES = ("tests/derivation/test_free_energy.py",)
GRADIENTS = ("tests/derivation/test_gradients.py",)
ENSEMBLES = ("tests/derivation/test_ensembles.py",)
MEANS = ("tests/derivation/test_mean_field.py",)
SWEEPS = ("tests/schedule/test_transition_matrix.py", "-k", "forward_and_backward or masked")
FORMS = ("tests/schedule/test_transition_matrix.py", "-k", "two_blocks_need")
LATTICES = ("tests/lattices",)
CHAINS = ("tests/runtime/test_chains.py",)
ANNEALING = ("tests/evaluation/test_ais.py",)
TRAINING = ("tests/learning/test_objectives.py",)


@dataclass(frozen=True)
class Mutant:
    """A fault: in a file below pgmc/, one text is replaced by another; ``tests`` are those that should see it."""

    fault: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = FUZZ
