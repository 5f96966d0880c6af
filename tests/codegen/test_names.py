"""Names in generated source: every one is handed out once, whatever the user calls things."""

from __future__ import annotations

import ast
import builtins
import keyword
from functools import partial

import pytest

import pgmc
from energies import build, built
from generated import all_queries, disagreement, numpy_disagreement, python_kernel, random_data
from pgmc.codegen.names import KERNEL_ARGUMENTS, NameRegistry
from pgmc.codegen.prelude import helper_names
from pgmc.compiler import Compiler
from pgmc.ir.queries import Energy, Sweep

AWKWARD = """
    n examples i j k r0 r1 sweep sweeps weights total total_2 top np math njit helper mix sigmoid softplus relu step
    uniform row_key draw_bernoulli draw_spin draw_categorical category_weight random_word grid_point is_on exp_neg
    row_sum lgamma field_v_W part_v mean_v out_energy grad_W logits_v site_v keep_v n_v states_v key_0 first_chain
    first_sweep energy gradient free_energy max min range abs len int float print float32 float64 array dot empty
    logsumexp u_v weight other
"""


def test_nothing_is_handed_out_twice() -> None:
    names = NameRegistry(["mine"])
    claimed = [names.claim(wish) for wish in ("v", "v", "v_2", "v", "mine", "np", "sweep") * 5]
    claimed += [names.claim_local(wish) for wish in ("total", "total", "v")]
    assert len(set(claimed)) == len(claimed)
    assert claimed[0] == "v"
    assert names.locals == set(claimed[-3:])


@pytest.mark.parametrize("word", [*keyword.kwlist, *dir(builtins), *KERNEL_ARGUMENTS, *helper_names("float32"), "np"])
def test_words_of_the_language_and_of_the_prelude_are_taken(word: str) -> None:
    assert NameRegistry().claim(word) == f"{word}_2"


@pytest.mark.parametrize("word", AWKWARD.split())
def test_awkward_names_give_right_kernels(word: str) -> None:
    """The word as a variable, a parameter and an index of one model after the other."""
    for role in range(3):
        compiler = Compiler(built(partial(declare_with, word, role)), "float64")
        data = random_data(compiler.model)
        variables = tuple(v.name for v in compiler.model.variables)
        for query in (Energy(), Sweep(variables, masked=variables)):
            assert disagreement(compiler, query, python_kernel(compiler, query), data) <= 1e-12
            assert numpy_disagreement(compiler, query, data) <= 1e-12


def declare_with(word: str, role: int, m: pgmc.Model) -> None:
    """A model in which the word is the name of a variable, a parameter or an index."""
    variable, parameter, index = (word if role == k else name for k, name in enumerate(("v", "W", "i")))
    x, h = m.binary(variable, 3), m.categorical("h", 2, states=2)
    W, scale = m.param(parameter, (3, 2, 2)), m.param("scale" if role else f"{word}_2")
    others = [name for name in ("p", "q", "r") if name != index]
    i, j, k = pgmc.indices(" ".join([index, *others[:2]]))
    m.energy(-x[i] * W[i, j, k] * h[j, k] + scale * pgmc.softplus(pgmc.Sum(x[i] * W[i, 0, 1], i)))


@pytest.mark.parametrize("what", ["the_compiler", "buffers", "helpers", "arguments"])
def test_no_name_is_both_an_argument_and_assigned(what: str) -> None:
    compiler = Compiler(build(f"names_of_{what}"), "float64")
    for query in all_queries(compiler):
        module = compiler.stages(query).module
        tree = ast.parse(module.source)
        main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == module.name)
        arguments = [argument.arg for argument in main.args.args]
        assert arguments == [argument.name for argument in module.arguments]
        assert len(set(arguments)) == len(arguments)
        stored = {n.id for n in ast.walk(main) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        assert not stored & set(arguments)
        functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} - {module.name}
        assert not (stored | set(arguments)) & functions


@pytest.mark.parametrize("name", ["two_layers", "labels", "coupled_binary", "names_of_indices"])
def test_loop_variables_keep_the_letters_of_the_user(name: str) -> None:
    module = Compiler(build(name), "float64").stages(Energy()).module
    tree = ast.parse(module.source)
    main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == module.name)
    loops = {n.target.id for n in ast.walk(main) if isinstance(n, ast.For) and isinstance(n.target, ast.Name)}
    assert loops <= {"n", "i", "j", "k", "i_2", "n_2", "v_2", "j_2"}
    for loop in (n for n in ast.walk(main) if isinstance(n, ast.For)):
        inner = [n.target.id for n in ast.walk(loop) if isinstance(n, ast.For) and n is not loop]  # type: ignore[attr-defined]
        assert loop.target.id not in inner, "a loop within a loop over the same letter"  # type: ignore[attr-defined]
