"""The steps to a free energy, to a gradient and to mean field; where one is refused, the reason and what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pgmc.derivation.collect_factors import collect_factors
from pgmc.derivation.free_energy import log_normaliser_of, with_reals_integrated
from pgmc.derivation.tidy import negate
from pgmc.inspection.derivation_steps import Derivation, Step, explain_conditional, local_steps
from pgmc.ir.answers import Computation, Quantity, Refusal
from pgmc.ir.model import Model
from pgmc.ir.printer import energy_expression
from pgmc.ir.queries import Conditional, Energy, FreeEnergy, Gradient, MeanField, MeanFieldUpdate, Query
from pgmc.ir.rewrite import accesses

if TYPE_CHECKING:
    from pgmc.compiler import Compiler


def explain_query(compiler: Compiler, query: Query) -> Derivation | None:
    """The steps to the answer of a query; None for one that is no derivation, such as a sweep."""
    match query:
        case Conditional(target, ensemble, without):
            law = compiler.marginal_law(target, without, ensemble)
            if isinstance(law, Refusal):
                return Derivation((Step(f"the law of {target}", law, "refused"),))
            return explain_conditional(compiler.ensemble(ensemble), law)
        case FreeEnergy(observed):
            return Derivation(tuple(_free_energy(compiler, observed)))
        case Gradient(Energy() | FreeEnergy() as of, wrt):
            return Derivation(tuple(_gradient(compiler, of, wrt)))
        case MeanField(observed) | MeanFieldUpdate(observed):
            return Derivation(tuple(_mean_field(compiler, observed)))
        case _:
            return None


def _energy_step(model: Model) -> Step:
    return Step("the energy", Quantity("E", (), energy_expression(model.terms)), "the sum of what was declared")


def _free_energy(compiler: Compiler, observed: tuple[str, ...]) -> Iterator[Step]:
    """F(observed) = -log Σ exp(-E): each hidden variable by its local energy, then what is left of E."""
    model = compiler.ensemble(FreeEnergy(observed).ensemble)
    answer = compiler.derive(FreeEnergy(observed))
    yield _energy_step(model)
    if isinstance(answer, Refusal):
        yield Step("the sum over the others is refused", answer, "a sum over units that interact has no product form")
        yield from _instead(compiler, observed)
        return
    assert isinstance(answer, Computation)
    hidden = tuple(v for v in model.variables if v.name not in observed)
    reduced = None if _is_direct(compiler, observed) else with_reals_integrated(model, hidden)
    if reduced is not None:
        real = ", ".join(v.name for v in hidden if v not in reduced.variables)
        left = Quantity("E", (), energy_expression(reduced.terms))
        yield Step(f"{real} integrated out first", left, "what is left is an energy of the others")
        model, hidden = reduced, tuple(v for v in hidden if v in reduced.variables)
    for variable in hidden:
        yield from _summed_out(model, variable.name)
    units = "no units are left to sum out" if not hidden else "what is left of the energy, and the sums"
    yield Step("the free energy", answer.quantities[0], units)


def _is_direct(compiler: Compiler, observed: tuple[str, ...]) -> bool:
    """Whether no two hidden units interact."""
    graph = compiler.graph
    hidden = [name for name in graph.nodes if name not in observed]
    return not any(graph.has_edge(a, b) for a in hidden for b in hidden)


def _summed_out(model: Model, name: str) -> Iterator[Step]:
    """The local energy of a unit, and the logarithm of its sum over all values, for all units of a variable."""
    from pgmc.derivation.conditionals import derive_conditional

    law = derive_conditional(model, model.variable(name))
    yield from local_steps(model, law)
    how = "integral" if law.family in ("Normal", "JointNormal", "Gamma") else "sum"
    title = f"all units of {name} out: G = -log of the {how} of exp(-L) over each"
    yield Step(
        title,
        Quantity("G", (), collect_factors(negate(log_normaliser_of(law)))),
        f"{law.family}: {'; '.join(law.reasons)}",
    )


def _instead(compiler: Compiler, observed: tuple[str, ...]) -> Iterator[Step]:
    """What there is where the free energy is refused: the fixed point of mean field, or why not."""
    found = compiler.fixed_point(observed)
    if isinstance(found, Refusal):
        yield Step("mean field in its place is refused, too", found, "estimate it by sampling")
        return
    for quantity in found.quantities:
        yield Step(f"mean field in its place: the means of {quantity.name}", quantity, "a lower bound on log Σ exp(-E)")


def _gradient(compiler: Compiler, of: Energy | FreeEnergy, wrt: tuple[str, ...]) -> Iterator[Step]:
    """∂⟨·⟩/∂θ of an energy or a free energy, term by term."""
    answer = compiler.derive(Gradient(of, wrt))
    of_energy = isinstance(of, Energy)
    if isinstance(of, Energy):
        yield _energy_step(compiler.ensemble(of.ensemble))
    else:
        yield from _free_energy(compiler, of.observed)
    if isinstance(answer, Refusal):
        return
    assert isinstance(answer, Computation)
    model = compiler.shared(of.ensemble) if answer.definitions else compiler.ensemble(of.ensemble)
    for named in answer.definitions:
        what = "a named value" if named.shown is None else "a slope of the energy"
        yield Step(f"{what}, {named.shown or named.name}", named, "worked out once, slopes from the last to the first")
    rule = "the derivative of log Σ exp is a mean: units summed out stand with their means"
    for quantity in answer.quantities:
        terms = tuple(t for t in model.terms if any(a.symbol.name == quantity.name for a in accesses(t.body)))
        if of_energy:
            held = Quantity("E", (), energy_expression(terms))
            yield Step(f"the terms that hold {quantity.name}", held, "the others have no slope in it")
        reason = "⟨⟩ is the mean over examples" + ("" if of_energy else f"; {rule}")
        name = "energy" if of_energy else "free_energy"
        yield Step(f"the slope in one element of {quantity.name}", quantity, reason, name)


def _mean_field(compiler: Compiler, observed: tuple[str, ...]) -> Iterator[Step]:
    """The energy of the means, and the best mean of one unit where the others are fixed."""
    yield _energy_step(compiler.ensemble(FreeEnergy(observed).ensemble))
    means, found = compiler.mean_model(observed), compiler.fixed_point(observed)
    if isinstance(found, Refusal) or isinstance(means, Refusal):
        refusal = found if isinstance(found, Refusal) else means
        assert isinstance(refusal, Refusal)
        yield Step("mean field is refused", refusal, "units must enter the energy as polynomials, and be discrete")
        return
    expected = Quantity("E", (), energy_expression(means.terms))
    reason = "units are independent under q, and the energy is affine in each: values become means"
    yield Step("the mean energy under q", expected, reason)
    for quantity in found.quantities:
        reason = "where the bound -⟨E⟩ + H(q) has no slope in it, the other means fixed: its conditional at their means"
        yield Step(f"the best mean of one unit of {quantity.name}", quantity, reason)
