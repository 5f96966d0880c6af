"""A small restricted Boltzmann machine whose kernels are written by hand in the form of generated ones."""

import os

import numpy as np
import pytest

from pgmc.codegen.prelude import IMPORTS, prelude
from pgmc.ir.answers import BlockUpdate, Computation, ConditionalLaw, Quantity, SweepSchedule
from pgmc.ir.model import EnergyTerm, Model
from pgmc.ir.nodes import Access, Add, BatchMean, Mul, Sum, at, fresh_index, number
from pgmc.ir.queries import Energy, Gradient, Sweep
from pgmc.ir.signatures import Argument, KernelModule, Result, Role
from pgmc.ir.symbols import Axis, Binary, Parameter, Variable
from pgmc.runtime.executable import Executable
from pgmc.runtime.interpreted import InterpretedKernel
from pgmc.runtime.kernels import CompiledKernel
from pgmc.runtime.keys import kernel_key
from pgmc.runtime.loader import load_or_build

HEADER = """

@njit(
    "void({signature})",
    nogil=True,
    cache=True,
    fastmath={{"contract"}},
    error_model="numpy",
)
"""

SWEEP = '''\
def sweep_v_h(v, h, W, b, c, keep_v, site_v, site_h, key_0, key_1, first_chain, first_sweep, sweeps):
    """v[i] given h, unless keep_v[i], then h[j] given v."""
    for t in range(sweeps):
        fields = np.dot(h, W.T)
        for n in range(v.shape[0]):
            r0, r1 = row_key(key_0, key_1, first_chain + n, first_sweep + t)
            for i in range(v.shape[1]):
                drawn = draw_bernoulli(fields[n, i] + b[i], r0, r1, site_v + i)
                v[n, i] = v[n, i] if keep_v[n, i] else drawn
        inputs = np.dot(v, W)
        for n in range(v.shape[0]):
            r0, r1 = row_key(key_0, key_1, first_chain + n, first_sweep + t)
            for j in range(h.shape[1]):
                h[n, j] = draw_bernoulli(inputs[n, j] + c[j], r0, r1, site_h + j)
'''

ENERGY = '''\
def energy(v, h, W, b, c, out):
    """E[n] = -sum v W h - b v - c h."""
    inputs = np.dot(v, W)
    for n in range(v.shape[0]):
        total = 0.0
        for j in range(h.shape[1]):
            total -= (inputs[n, j] + c[j]) * h[n, j]
        for i in range(v.shape[1]):
            total -= b[i] * v[n, i]
        out[n] = total
'''

GRADIENT = '''\
def gradient_W(v, h, weights, extent, out):
    """dE/dW[i, j] = -sum of weights[n] v[n, i] h[n, j]."""
    weighted = np.empty_like(v)
    for n in range(v.shape[0]):
        for i in range(extent):
            weighted[n, i] = -weights[n] * v[n, i]
    np.dot(weighted.T, h, out)
'''


def type_text(argument):
    if argument.role in (Role.KEY, Role.SITE, Role.EXTENT, Role.FIRST_CHAIN, Role.FIRST_SWEEP, Role.SWEEPS):
        return argument.dtype
    return f"{argument.dtype.replace('bool', 'boolean')}[{':, ' * (argument.rank - 1)}::1]"


def module(kind, name, text, arguments, dtype, results=()):
    """The module of one hand-written kernel."""
    helpers = prelude(["row_key", "draw_bernoulli"] if kind == "sweep" else [], dtype)
    signature = HEADER.format(signature=", ".join(map(type_text, arguments)))
    return KernelModule(name, kind, f"{IMPORTS}\n\n{helpers}{signature}{text}", tuple(arguments), results)


class Rbm:
    """The model, and the module and the IR of each of its queries."""

    def __init__(self, visible=6, hidden=4):
        units = {"v": visible, "h": hidden}
        v, h = (Variable(name, (Axis(size),), Binary()) for name, size in units.items())
        W = Parameter("W", (Axis(visible), Axis(hidden)))
        b, c = Parameter("b", (Axis(visible),)), Parameter("c", (Axis(hidden),))
        i, j = fresh_index("i"), fresh_index("j")
        vi, hj, Wij = Access(v, (at(i),)), Access(h, (at(j),)), Access(W, (at(i), at(j)))
        bi, cj, minus = Access(b, (at(i),)), Access(c, (at(j),)), number(-1)
        terms = (
            EnergyTerm(Mul((minus, vi, Wij, hj)), (i, j)),
            EnergyTerm(Mul((minus, bi, vi)), (i,)),
            EnergyTerm(Mul((minus, cj, hj)), (j,)),
        )
        self.model = Model("rbm", (v, h), (), (W, b, c), (), terms)
        laws = (
            ConditionalLaw(v, (i,), None, "Bernoulli", (("logits", Add((bi, Sum(Mul((Wij, hj)), (j,))))),)),
            ConditionalLaw(h, (j,), None, "Bernoulli", (("logits", Add((cj, Sum(Mul((Wij, vi)), (i,))))),)),
        )
        self.sweep = Sweep(("v", "h"), masked=("v",))
        energy = Add(tuple(Sum(term.body, term.over) for term in terms))
        self.answers = {
            self.sweep: SweepSchedule(tuple(BlockUpdate((law,), "parallel", ("v",)) for law in laws)),
            Energy(): Computation((Quantity("energy", (), energy),)),
            Gradient(Energy(), ("W",)): Computation(
                (Quantity("W", (i, j), BatchMean(Mul((minus, vi, hj))), per_example=False),)
            ),
        }

    def modules(self, dtype):
        """Query -> the hand-written module."""
        state = [Argument(name, Role.STATE, name, 2, dtype) for name in "vh"]
        params = [Argument(name, Role.PARAMETER, name, rank, dtype) for name, rank in {"W": 2, "b": 1, "c": 1}.items()]
        counters = [
            Argument("keep_v", Role.MASK, "v", 2, "bool"),
            Argument("site_v", Role.SITE, "v", 0, "int64"),
            Argument("site_h", Role.SITE, "h", 0, "int64"),
            Argument("key_0", Role.KEY, "key_0", 0, "uint64"),
            Argument("key_1", Role.KEY, "key_1", 0, "uint64"),
            Argument("first_chain", Role.FIRST_CHAIN, "", 0, "int64"),
            Argument("first_sweep", Role.FIRST_SWEEP, "", 0, "int64"),
            Argument("sweeps", Role.SWEEPS, "", 0, "int64"),
        ]
        weighting = [
            Argument("weights", Role.WEIGHTS, "", 1, dtype),
            Argument("extent", Role.EXTENT, "v", 0, "int64", 0),
            Argument("out", Role.RESULT, "W", 2, dtype),
        ]
        energy = [*state, *params, Argument("out", Role.RESULT, "energy", 1, "float64")]
        results = (
            (Result("energy", (), True, "float64"),),
            (Result("W", (("v", 0), ("h", 0)), False, dtype),),
        )
        return {
            self.sweep: module("sweep", "sweep_v_h", SWEEP, [*state, *params, *counters], dtype),
            Energy(): module("evaluate", "energy", ENERGY, energy, dtype, results[0]),
            Gradient(Energy(), ("W",)): module(
                "evaluate", "gradient_W", GRADIENT, [*state, *weighting], dtype, results[1]
            ),
        }

    def params(self, dtype, scale=1.0):
        rng = np.random.default_rng(5)
        return {
            p.name: (scale * rng.normal(size=[a.size for a in p.axes])).astype(dtype) for p in self.model.parameters
        }


@pytest.fixture
def rbm():
    return Rbm()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keeps the tests out of the user's cache."""
    before = os.environ.get("PGMC_CACHE_DIR")
    os.environ["PGMC_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache") / "pgmc")
    yield
    if before is None:
        del os.environ["PGMC_CACHE_DIR"]
    else:
        os.environ["PGMC_CACHE_DIR"] = before


def make_executable(rbm, dtype, backend="numba"):
    """The hand-written kernels, or the interpreted answers, as an Executable."""

    def compiled(query):
        module, function = load_or_build(
            kernel_key("hand-written", repr(query), dtype), lambda: rbm.modules(dtype)[query]
        )
        return CompiledKernel(module, function, rbm.model)

    def interpreted(query):
        return InterpretedKernel(rbm.answers[query], rbm.model, dtype)

    return Executable(
        rbm.model,
        dtype,
        make_kernel=compiled if backend == "numba" else interpreted,
        find_blocks=lambda free: tuple((name,) for name in free),
        find_eliminable=lambda: ("h",),
    )


@pytest.fixture
def executable(rbm):
    """(dtype, backend) -> Executable of the small machine."""
    return lambda dtype="float32", backend="numba": make_executable(rbm, dtype, backend)
