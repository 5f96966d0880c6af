"""Like terms are combined whatever their indices are called, and the value stays."""

from fractions import Fraction

import numpy as np
import pytest

import pgmc
import pgmc.ir.printer
from pgmc.derivation.like_terms import combine_like_terms
from pgmc.derivation.tidy import add, multiply, tidy
from pgmc.ir.nodes import ZERO, Access, Call, Number, Sum, at, fresh_index
from pgmc.ir.symbols import Axis, Parameter

B = Parameter("b", (Axis(3),))


def softplus_sum(name: str, factor: int = 1):
    i = fresh_index(name)
    return tidy(multiply(Number(factor), Sum(Call("softplus", Access(B, (at(i),))), (i,))))


def test_terms_that_cancel_vanish():
    assert combine_like_terms(add(softplus_sum("i"), softplus_sum("j", -1))) == ZERO


def test_numbers_add_up():
    combined = combine_like_terms(add(softplus_sum("i", 2), softplus_sum("j", 3)))
    assert pgmc.ir.printer.print_scalar(combined) == "5·Σ_i softplus(b[i])"


def test_terms_with_other_free_indices_stay_apart():
    i, j = fresh_index("i"), fresh_index("j")
    terms = add(Access(B, (at(i),)), multiply(Number(-1), Access(B, (at(j),))))
    assert combine_like_terms(terms) == terms


def test_sums_over_axes_of_other_lengths_stay_apart():
    two, three = fresh_index("i", ("x", 0)), fresh_index("i", ("y", 0))
    terms = add(*(Sum(Call("log", Number(Fraction(2))), (index,)) for index in (two, three)))
    assert combine_like_terms(terms) == terms


def test_units_that_no_term_mentions_count_each_for_itself():
    m = pgmc.Model("idle")
    m.binary("x", 2), m.spin("y", 5)
    m.energy(m.param("b") * m.binary("z"))
    with pytest.warns(pgmc.ModelWarning):
        p = pgmc.compile(m, backend="numpy", dtype="float64")
    np.testing.assert_allclose(p.free_energy({"b": 0.5}, {}), -7 * np.log(2) - np.log1p(np.exp(-0.5)))


def test_free_energy_of_the_children_of_a_directed_factor_is_that_of_the_parents():
    m = pgmc.Model("net")
    v, h = m.binary("v", 3), m.binary("h", 2)
    m.directed(h, pgmc.Bernoulli(logits=m.param("c", 2)))
    m.directed(v, pgmc.Bernoulli(logits=h @ m.param("W", (2, 3))))
    equation = pgmc.compile(m, backend="numpy").free_energy_equation(["h"])
    assert "W" not in str(equation)


def test_sums_of_a_constant_over_other_axes_stay_apart():
    """Σ_i 1 over three units and over five are not alike, though they look the same."""
    one, other = fresh_index("i", ("b", 0)), fresh_index("i", ("c", 0))
    terms = add(Sum(Call("log", Number(2)), (one,)), multiply(Number(-1), Sum(Call("log", Number(2)), (other,))))
    assert combine_like_terms(terms) == terms
