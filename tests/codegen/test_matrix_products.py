"""Matrix products in every orientation: found, right, and without copies where a view will do."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

import pgmc
from energies import build, built
from generated import Potential, disagreement, numpy_disagreement, python_kernel, random_data
from pgmc.codegen.array_program import ArrayProgram, Contract, Map, Reduce
from pgmc.compiler import Compiler
from pgmc.ir.model import Model
from pgmc.ir.queries import Conditional, Energy, FreeEnergy, Gradient, Query, Sweep
from pgmc.ir.symbols import is_per_example

SIZES = {"i": 2, "j": 3, "k": 4, "l": 5}


def einsum_model(subscripts: str, kinds: str) -> Model:
    """One product of variables and a weight; the kinds are b, s or c (binary, spin, categorical)."""

    def declare(m: pgmc.Model) -> None:
        *groups, weight = subscripts.split(",")
        units = []
        for number, (axes, kind) in enumerate(zip(groups, kinds, strict=True)):
            shape, name = tuple(SIZES[a] for a in axes), f"x{number}"
            if kind == "c":
                units.append(m.categorical(name, shape[:-1], states=shape[-1]))
            else:
                units.append((m.binary if kind == "b" else m.spin)(name, shape))
        W = m.param("W", tuple(SIZES[a] for a in weight))
        m.energy(-pgmc.einsum(f"{subscripts}->", *units, W))

    return built(declare)


def queries(model: Model) -> list[Query]:
    names = tuple(variable.name for variable in model.variables)
    return [Energy(), Sweep(names), Gradient(Energy(), ("W",)), *(Conditional(name) for name in names)]


def assert_right(compiler: Compiler, wanted: list[Query]) -> None:
    data = random_data(compiler.model)
    for query in wanted:
        assert disagreement(compiler, query, python_kernel(compiler, query), data) <= 1e-12, query
        assert numpy_disagreement(compiler, query, data) <= 1e-12, query


def products(program: ArrayProgram) -> list[Contract]:
    return [step for step in (*program.once, *program.steps) if isinstance(step, Contract)]


def copies(program: ArrayProgram) -> list[Map]:
    """Steps that only rearrange or convert an array."""
    steps = (*program.once, *program.steps)
    return [step for step in steps if isinstance(step, Map) and step.target.symbol.name.startswith("part_")]


PAIRS = [f"i,j,{''.join(w)}" for w in itertools.permutations("ij")]
PAIRS += [f"ij,k,{''.join(w)}" for w in itertools.permutations("ijk")]
PAIRS += [f"ij,kl,{''.join(w)}" for w in itertools.permutations("ijkl")]
TRIPLES = [f"i,j,k,{''.join(w)}" for w in itertools.permutations("ijk")]


@pytest.mark.parametrize("subscripts", [*PAIRS, *TRIPLES])
def test_every_orientation_is_right(subscripts: str) -> None:
    kinds = "bsb"[: subscripts.count(",")]
    compiler = Compiler(einsum_model(subscripts, kinds), "float64")
    assert_right(compiler, queries(compiler.model))


@pytest.mark.parametrize("subscripts", ["ij,k,ijk", "ij,k,kij", "ij,k,jki", "i,jk,jki", "ij,kl,likj"])
@pytest.mark.parametrize("kinds", ["cb", "sc", "cc"])
def test_one_hot_operands_are_right(subscripts: str, kinds: str) -> None:
    groups = subscripts.split(",")
    if any(kind == "c" and len(axes) == 0 for kind, axes in zip(kinds, groups[:-1], strict=True)):
        return
    compiler = Compiler(einsum_model(subscripts, kinds), "float64")
    assert_right(compiler, queries(compiler.model))


@pytest.mark.parametrize("subscripts", ["i,j,ij", "i,j,ji", "ij,k,ijk", "ij,k,kij", "ij,kl,ijkl", "ij,kl,klij"])
def test_weights_in_the_order_of_the_units_are_not_copied(subscripts: str) -> None:
    """Rows and columns of a contiguous array are views; BLAS reads a transposed matrix as it is."""
    compiler = Compiler(einsum_model(subscripts, "bs"), "float64")
    for query in (Conditional("x0"), Conditional("x1"), Sweep(("x0", "x1"))):
        program = compiler.stages(query).array_program
        assert products(program)
        assert copies(program) == []


@pytest.mark.parametrize("subscripts", ["ij,k,ikj", "ij,kl,ikjl", "ij,kl,kilj"])
def test_weights_in_another_order_are_copied_once_for_all_sweeps(subscripts: str) -> None:
    program = Compiler(einsum_model(subscripts, "bs"), "float64").stages(Sweep(("x0", "x1"))).array_program
    assert len(products(program)) == 2
    assert copies(program)
    assert all(step in program.once for step in copies(program))


def test_a_sweep_multiplies_once_for_each_block() -> None:
    program = Compiler(build("three_layers"), "float64").stages(Sweep(("v", "h", "g"))).array_program
    assert len(products(program)) == 4  # h given v and g; v given h; g given h


def test_a_factored_product_of_three_needs_no_rank_three_array() -> None:
    """Σ_f (x A)_f (y B)_f (h C)_f: two products to the factors and one back for each variable."""
    compiler = Compiler(build("factored_triple"), "float64")
    for name in ("x", "y", "h"):
        program = compiler.stages(Conditional(name)).array_program
        assert len(products(program)) == 3
        assert max(len(step.target.indices) for step in products(program)) == 1
    gradient = compiler.stages(Gradient(Energy(), ("A", "B", "C"))).array_program
    assert len([step for step in products(gradient) if not step.over]) == 3
    assert_right(compiler, [Energy(), Sweep(("x", "y", "h")), Gradient(Energy(), ("A", "B", "C"))])


def test_a_scale_of_each_unit_goes_into_the_weights() -> None:
    """Σ_i v[i] a[i] W[i,j]: the weights are scaled once, and the product stays one of matrices."""

    def declare(m: pgmc.Model) -> None:
        v, h = m.binary("v", 3), m.spin("h", 4)
        W, a = m.param("W", (3, 4)), m.param("a", 3)
        i, j = pgmc.indices("i j")
        m.energy(-v[i] * a[i] * W[i, j] * h[j])

    compiler = Compiler(built(declare), "float64")
    program = compiler.stages(Sweep(("v", "h"))).array_program
    assert len(products(program)) == 2
    assert len(program.once) >= 1
    assert_right(compiler, [Energy(), Sweep(("v", "h")), Gradient(Energy(), ("W", "a"))])


def test_a_chain_of_matrices_is_multiplied_from_the_thin_side() -> None:
    """v A B is (v A) B, with examples for rows, never v (A B)."""
    compiler = Compiler(build("matrix_chain"), "float64")
    for query in (Conditional("h"), Conditional("v"), Energy()):
        assert all(is_per_example(step.left.symbol) for step in products(compiler.stages(query).array_program))


def test_the_gradient_of_a_weight_is_one_product_over_the_examples() -> None:
    cases: list[tuple[str, Potential]] = [
        ("two_layers", Energy()),
        ("two_layers", FreeEnergy(("v",))),
        ("labels", Energy()),
    ]
    for name, of in cases:
        compiler = Compiler(build(name), "float64")
        weight = "W" if name == "two_layers" else "R"
        program = compiler.stages(Gradient(of, (weight,))).array_program
        over_examples = [step for step in products(program) if not step.over]
        assert len(over_examples) == 1
        assert not any(isinstance(step, Reduce) for step in program.steps)


def test_a_shared_field_is_computed_once() -> None:
    """The gradient of a free energy needs v W in three places."""
    compiler = Compiler(build("two_layers"), "float64")
    program = compiler.stages(Gradient(FreeEnergy(("v",)), ("W", "b", "c"))).array_program
    fields = [step for step in products(program) if step.over]
    assert len(fields) == 1


def test_a_field_is_computed_again_after_its_variable_has_changed() -> None:
    compiler = Compiler(build("weight_used_twice"), "float64")
    assert_right(compiler, [Sweep(("v", "h", "g")), Sweep(("g", "h")), Sweep(("v", "h", "g"), backward=True)])


def test_a_weight_of_ones_is_no_product() -> None:
    """What has no index of its own is a sum, not a matrix product."""
    compiler = Compiler(build("scalar_and_vector"), "float64")
    assert_right(compiler, queries_of_scalars(compiler.model))


def queries_of_scalars(model: Model) -> list[Query]:
    names = tuple(variable.name for variable in model.variables)
    return [Energy(), Sweep(names), *(Conditional(name) for name in names), Gradient(Energy(), ("w", "b", "t"))]


def test_weights_under_a_condition_are_an_array_like_any_other() -> None:
    """Σ_j W[i,j]·x[j] over j < i, for the units of a fully visible net: one masked copy of W, then a matrix product."""
    i, j = pgmc.indices("i j")

    def declare(m: pgmc.Model) -> None:
        x, W = m.binary("x", 4), m.param("W", (4, 4))
        m.directed(x[i], pgmc.Bernoulli(logits=pgmc.Sum(W[i, j] * x[j], j, where=j < i)))

    compiler = Compiler(built(declare), dtype="float64")
    wanted = [Energy(), Gradient(Energy(), ("W",)), Conditional("x"), Sweep(("x",))]
    assert_right(compiler, wanted)
    steps = compiler.stages(Energy()).array_program.steps
    assert any(isinstance(step, Contract) for step in steps)
    assert any(str(step).endswith("= W[i,j]·[j < i]") for step in steps if isinstance(step, Map))


def feature_maps(m: pgmc.Model) -> None:
    """Two maps of three by two places over an image with a margin, so that an unequal number of places is outside."""
    v, h, K = m.binary("v", (5, 4)), m.spin("h", (2, 3, 2)), m.param("K", (2, 3, 3))
    k, x, y, a, b = pgmc.indices("k x y a b")
    m.energy(-h[k, x, y] * K[k, a, b] * v[x + a, y + b])


def two_channels(m: pgmc.Model) -> None:
    v, h, W = m.spin("v", (2, 4)), m.binary("h", (3, 3)), m.param("W", (3, 2, 2))
    c, k, x, a = pgmc.indices("c k x a")
    m.energy(-h[k, x] * W[k, c, a] * v[c, x + a])


@pytest.mark.parametrize("declare", [feature_maps, two_channels])
def test_convolutions_are_matrix_products_both_ways(declare: Callable[[pgmc.Model], None]) -> None:
    """The windows of the image by the filters, and the maps by the filters: windows that are laid over one another."""
    compiler = Compiler(built(declare), "float64")
    names = tuple(p.name for p in compiler.model.parameters)
    wanted: list[Query] = [Energy(), Sweep(("v", "h")), Conditional("v"), Conditional("h"), FreeEnergy(("v",))]
    assert_right(compiler, [*wanted, Gradient(Energy(), names), Gradient(FreeEnergy(("v",)), names)])
    found = [products(compiler.stages(query).array_program) for query in (Conditional("v"), Conditional("h"))]
    assert [len(steps) for steps in found] == [1, 1]


@pytest.mark.parametrize("declare", [feature_maps, two_channels])
def test_gradients_in_filters_are_products_over_the_places_of_all_examples(
    declare: Callable[[pgmc.Model], None],
) -> None:
    compiler = Compiler(built(declare), "float64")
    (name,) = (p.name for p in compiler.model.parameters)
    program = compiler.stages(Gradient(Energy(), (name,))).array_program
    (step,) = products(program)
    assert len(step.over) > 1 and not any(isinstance(other, Reduce) for other in program.steps)
