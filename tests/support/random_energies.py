"""The random discrete models of the acceptance checks, as ir models."""

from __future__ import annotations

import warnings

import numpy as np

import oracle
import pgmc
from conformance import declare
from expressions import PLAIN, Alphabet, Expressions, new_index
from pgmc.ir.fresh_indices import freshen_model
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.symbols import Parameter, Variable


def random_model(seed: int, max_states: int = 128) -> Model | None:
    """A model of binary, spin and categorical groups with terms up to third order; None for one without terms."""
    spec, terms, _ = oracle.random_model(np.random.default_rng(seed), max_states)
    if not terms:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pgmc.ModelWarning)
        return freshen_model(declare(spec, terms, index_spelling=seed % 2 == 1).build())


def random_models(seeds: range, max_states: int = 128) -> list[Model]:
    """The models of the seeds that have terms."""
    return [model for seed in seeds if (model := random_model(seed, max_states)) is not None]


def random_nonlinear_model(seed: int, depth: int = 3, alphabet: Alphabet = PLAIN) -> Model:
    """A model whose terms are random expressions: functions, powers and sums nested in any way."""
    drawn = Expressions(seed, alphabet=alphabet)
    terms = []
    for _ in range(2):
        over = (new_index("i"), new_index("j"))
        terms.append(EnergyTerm(drawn.draw(over, depth), over))
    variables = tuple(symbol for symbol in alphabet.symbols if isinstance(symbol, Variable))
    parameters = tuple(symbol for symbol in alphabet.symbols if isinstance(symbol, Parameter))
    return freshen_model(Model("fuzz", variables, (), parameters, (), tuple(terms)))
