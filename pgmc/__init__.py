"""pgmc: from the equations of a graphical model to its samplers, energies and gradients.

Public names are imported when they are first used, so that ``import pgmc`` itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgmc.dsl.distributions import Bernoulli as Bernoulli
    from pgmc.dsl.distributions import Categorical as Categorical
    from pgmc.dsl.distributions import Normal as Normal
    from pgmc.dsl.expression import Expression as Expression
    from pgmc.dsl.functions import Sum as Sum
    from pgmc.dsl.functions import cos as cos
    from pgmc.dsl.functions import einsum as einsum
    from pgmc.dsl.functions import exp as exp
    from pgmc.dsl.functions import lgamma as lgamma
    from pgmc.dsl.functions import log as log
    from pgmc.dsl.functions import logsumexp as logsumexp
    from pgmc.dsl.functions import relu as relu
    from pgmc.dsl.functions import sigmoid as sigmoid
    from pgmc.dsl.functions import softplus as softplus
    from pgmc.dsl.functions import sqrt as sqrt
    from pgmc.dsl.functions import square as square
    from pgmc.dsl.functions import tanh as tanh
    from pgmc.dsl.index_notation import indices as indices
    from pgmc.dsl.model import Model as Model
    from pgmc.errors import ArgumentError as ArgumentError
    from pgmc.errors import CacheWarning as CacheWarning
    from pgmc.errors import CheckpointError as CheckpointError
    from pgmc.errors import DataError as DataError
    from pgmc.errors import DerivationError as DerivationError
    from pgmc.errors import InternalError as InternalError
    from pgmc.errors import IntractableError as IntractableError
    from pgmc.errors import ModelError as ModelError
    from pgmc.errors import ModelWarning as ModelWarning
    from pgmc.errors import NotationError as NotationError
    from pgmc.errors import NumericsError as NumericsError
    from pgmc.errors import PgmcError as PgmcError
    from pgmc.errors import VerificationError as VerificationError
    from pgmc.evaluation.enumerate import enumerate_states as enumerate_states
    from pgmc.interchange.models.bernoulli_rbm import from_sklearn as from_sklearn
    from pgmc.interchange.models.bif import read_bif as read_bif
    from pgmc.interchange.models.coupled_graph import from_networkx as from_networkx
    from pgmc.interchange.models.quadratic import from_dimod as from_dimod
    from pgmc.learning.binarization import binarize as binarize
    from pgmc.learning.contrastive_divergence import CD as CD
    from pgmc.learning.discriminative import Discriminative as Discriminative
    from pgmc.learning.discriminative import Hybrid as Hybrid
    from pgmc.learning.elbo import ELBO as ELBO
    from pgmc.learning.exact_likelihood import ExactLikelihood as ExactLikelihood
    from pgmc.learning.mean_field_pcd import MeanFieldPCD as MeanFieldPCD
    from pgmc.learning.optimizers import SGD as SGD
    from pgmc.learning.optimizers import Adam as Adam
    from pgmc.learning.persistent import PCD as PCD
    from pgmc.learning.reinforce import Reinforce as Reinforce
    from pgmc.learning.reweighted_wake_sleep import ReweightedWakeSleep as ReweightedWakeSleep
    from pgmc.learning.score_matching import DenoisingScoreMatching as DenoisingScoreMatching
    from pgmc.learning.score_matching import ScoreMatching as ScoreMatching
    from pgmc.learning.stopping import EarlyStopping as EarlyStopping
    from pgmc.learning.up_down import UpDown as UpDown
    from pgmc.learning.wake_sleep import WakeSleep as WakeSleep
    from pgmc.program.closed_form import fit_closed_form as fit_closed_form
    from pgmc.program.estimators import UpPassClassifier as UpPassClassifier
    from pgmc.program.estimators import UpPassFeatures as UpPassFeatures
    from pgmc.program.layerwise import fit_layerwise as fit_layerwise
    from pgmc.program.layerwise import undirected as undirected
    from pgmc.program.program import Program as Program
    from pgmc.program.program import compile as compile
    from pgmc.program.training import fit as fit
    from pgmc.program.training import load as load
    from pgmc.program.training import save as save
    from pgmc.runtime.hamiltonian import HMC as HMC
    from pgmc.runtime.tempering import Tempering as Tempering

_MODULES = {
    "pgmc.dsl.model": ("Model",),
    "pgmc.dsl.expression": ("Expression",),
    "pgmc.dsl.distributions": ("Bernoulli", "Categorical", "Normal"),
    "pgmc.dsl.index_notation": ("indices",),
    "pgmc.dsl.functions": (
        "Sum",
        "cos",
        "einsum",
        "exp",
        "lgamma",
        "log",
        "logsumexp",
        "relu",
        "sigmoid",
        "softplus",
        "sqrt",
        "square",
        "tanh",
    ),
    "pgmc.program.closed_form": ("fit_closed_form",),
    "pgmc.program.estimators": ("UpPassClassifier", "UpPassFeatures"),
    "pgmc.program.layerwise": ("fit_layerwise", "undirected"),
    "pgmc.program.program": ("Program", "compile"),
    "pgmc.program.training": ("fit", "load", "save"),
    "pgmc.interchange.models.bernoulli_rbm": ("from_sklearn",),
    "pgmc.interchange.models.bif": ("read_bif",),
    "pgmc.interchange.models.coupled_graph": ("from_networkx",),
    "pgmc.interchange.models.quadratic": ("from_dimod",),
    "pgmc.learning.binarization": ("binarize",),
    "pgmc.learning.contrastive_divergence": ("CD",),
    "pgmc.learning.discriminative": ("Discriminative", "Hybrid"),
    "pgmc.learning.exact_likelihood": ("ExactLikelihood",),
    "pgmc.learning.mean_field_pcd": ("MeanFieldPCD",),
    "pgmc.learning.optimizers": ("SGD", "Adam"),
    "pgmc.learning.persistent": ("PCD",),
    "pgmc.learning.elbo": ("ELBO",),
    "pgmc.learning.reinforce": ("Reinforce",),
    "pgmc.learning.reweighted_wake_sleep": ("ReweightedWakeSleep",),
    "pgmc.learning.score_matching": ("DenoisingScoreMatching", "ScoreMatching"),
    "pgmc.learning.stopping": ("EarlyStopping",),
    "pgmc.learning.up_down": ("UpDown",),
    "pgmc.learning.wake_sleep": ("WakeSleep",),
    "pgmc.evaluation.enumerate": ("enumerate_states",),
    "pgmc.runtime.hamiltonian": ("HMC",),
    "pgmc.runtime.tempering": ("Tempering",),
    "pgmc.errors": (
        "ArgumentError",
        "CacheWarning",
        "CheckpointError",
        "DataError",
        "DerivationError",
        "InternalError",
        "IntractableError",
        "ModelError",
        "ModelWarning",
        "NotationError",
        "NumericsError",
        "PgmcError",
        "VerificationError",
    ),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'pgmc' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
