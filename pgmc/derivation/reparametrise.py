"""The bound through a guide as a function of noise: latent variables are what it makes of standard normal numbers.

A normal latent variable of the guide is z = μ + σ·ε, a named value of the noise ε, which is given. Then the bound
E_q[log p(x, z) - log q(z | x)] is the mean over ε of a function that has derivatives, and minus that function is the
energy of a model without variables: its kernels and its gradients are those of any energy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from graphlib import TopologicalSorter

from pgmc.derivation.name_values import as_term
from pgmc.derivation.tidy import add, multiply, negate, power
from pgmc.ir.answers import Refusal
from pgmc.ir.canonical import canonical_model
from pgmc.ir.definitions import equation_of, expand_factors
from pgmc.ir.dependencies import parents, sort_factors
from pgmc.ir.factor_energy import negative_log_law
from pgmc.ir.factors import parameter_of, parameter_term
from pgmc.ir.model import Definition, EnergyTerm, Factor, Model
from pgmc.ir.nodes import ONE, Access, Call, Index, Number, Pi, Pow, Scalar, Sum, at, fresh_index
from pgmc.ir.rewrite import accesses, depends_on_example, free_indices, freshen, rename, replace_symbols
from pgmc.ir.symbols import Constant, Input, Intermediate, Real, Symbol, Variable, access_axes, axis_name

WANTED = "bound through reparametrised latent variables"
ANONYMOUS = "constant_"
"""What the names of constants begin with that the user wrote in place."""

HALF, TWO = Number(Fraction(1, 2)), Number(Fraction(2))


def noise_of(variable: Variable) -> Input:
    """The standard normal numbers that a latent variable is made of."""
    return Input(f"noise_{variable.name}", variable.axes, Real())


def reparametrise(model: Model, analytic: bool = True) -> Model | Refusal:
    """A model of no variables whose energy is minus the bound at given noise, before its mean over the noise.

    Where a latent variable is normal in the model and in the guide, and the model's law of it is made of nothing that
    comes after it in the guide, its share is the divergence KL(q ‖ p) in closed form; with ``analytic=False`` that of
    every variable is log q - log p at the draw.
    """
    guide, refusal = model.guide, _refusal(model)
    if guide is None or refusal is not None:
        return refusal or Refusal(WANTED, "the model has no guide.", "Declare one: q = m.guide().")
    latents = {v.name: v for v in model.variables if v.name in guide.children}
    inputs = {v.name: Input(v.name, v.axes, v.domain) for v in model.variables if v.name not in latents}
    drawn = {v.name: Intermediate(v.name, v.axes, per_example=True) for v in latents.values()}
    constants = _constants_of_guide(model, guide)
    taken = {symbol.name for symbol in (*model.symbols, *guide.symbols)}
    of_model = _Rewriting({**inputs, **drawn}, taken)
    of_guide = _Rewriting({**inputs, **drawn, **constants}, taken)
    latent = {factor.target.name: of_guide.draw(factor) for factor in guide.factors}
    after, terms = _drawn_after(guide), list[EnergyTerm]()
    for factor in model.factors:
        name = factor.target.name
        (whole,) = expand_factors((factor,), model.definitions)
        closed = analytic and factor.family == "Normal" and not after.get(name, frozenset()) & set(parents(whole))
        terms += of_model.terms(factor, latent.get(name), closed)
    found = (*of_model.definitions_of(model), *of_guide.definitions_of(guide), *of_model.added, *of_guide.added)
    bound = Model(
        f"{model.name[:58]}_bound",
        (),
        (*inputs.values(), *model.inputs, *map(noise_of, latents.values())),
        (*model.parameters, *guide.parameters),
        (*model.constants, *constants.values()),
        tuple(terms),
        definitions=_in_order({definition.symbol.name: definition for definition in found}),
    )
    return canonical_model(bound)


def _refusal(model: Model) -> Refusal | None:
    factors = () if model.guide is None else expand_factors(model.guide.factors, model.guide.definitions)
    for factor in factors:
        target = factor.target
        if factor.family != "Normal":
            reason = f"{target.name} is {target.domain} in the guide, and a draw of it has no derivative."
            return Refusal(WANTED, reason, "Train with pgmc.ReweightedWakeSleep() or pgmc.Reinforce().")
        if (name := noise_of(target).name) in {symbol.name for symbol in model.symbols}:
            reason = f"the noise of {target.name} would be called {name}, as another symbol is."
            return Refusal(WANTED, reason, "Choose another name for that.")
        if target.name in parents(factor):
            reason = f"units of {target.name} are drawn one after the other by the guide."
            return Refusal(WANTED, reason, "Let them be independent given the rest, or make them several variables.")
    return None


def _drawn_after(guide: Model) -> dict[str, frozenset[str]]:
    """For each variable of the guide itself and those drawn given it, directly or through others."""
    given = {f.target.name: set(parents(f)) for f in expand_factors(guide.factors, guide.definitions)}
    found: dict[str, frozenset[str]] = {}
    for factor in reversed(sort_factors(guide.factors, guide.definitions)):
        name = factor.target.name
        children = [other for other, above in given.items() if name in above]
        found[name] = frozenset({name}).union(*(found[child] for child in children))
    return found


def _constants_of_guide(model: Model, guide: Model) -> dict[str, Constant]:
    """The guide's own constants by name: those without a name of the user's are numbered on from the model's."""
    numbers = [int(c.name.removeprefix(ANONYMOUS)) for c in model.constants if _is_anonymous(c)]
    last, shared = max(numbers, default=0), {c.name for c in model.constants if not _is_anonymous(c)}
    found: dict[str, Constant] = {}
    for constant in guide.constants:
        if _is_anonymous(constant):
            last += 1
            found[constant.name] = replace(constant, name=f"{ANONYMOUS}{last}")
        elif constant.name not in shared:
            found[constant.name] = constant
    return found


def _is_anonymous(constant: Constant) -> bool:
    return constant.name.startswith(ANONYMOUS) and constant.name.removeprefix(ANONYMOUS).isdigit()


def _in_order(definitions: dict[str, Definition]) -> tuple[Definition, ...]:
    """Each after those it is made of."""
    made_of = {
        name: [a.symbol.name for a in accesses(equation_of(d)[1]) if a.symbol.name in definitions]
        for name, d in definitions.items()
    }
    return tuple(definitions[name] for name in TopologicalSorter(made_of).static_order())


@dataclass(frozen=True, slots=True)
class _Latent:
    """What the guide makes of the noise at a unit: μ, σ, log σ and ε."""

    indices: tuple[Index, ...]
    mean: Scalar
    scale: Scalar
    log_scale: Scalar
    noise: Scalar

    def at(self, indices: tuple[Index, ...]) -> _Latent:
        """The same at another unit."""
        new = dict(zip(self.indices, indices, strict=True))
        parts = (rename(part, new) for part in (self.mean, self.scale, self.log_scale, self.noise))
        return _Latent(indices, *parts)

    def divergence(self, mean: Scalar, precision: Scalar) -> Scalar:
        """KL(q ‖ p) of a unit with the law N(mean, 1/precision) in the model."""
        apart = power(add(self.mean, negate(mean)), Fraction(2))
        spread = multiply(HALF, precision, add(power(self.scale, Fraction(2)), apart))
        rest = [] if precision == ONE else [multiply(negate(HALF), Call("log", precision))]
        return add(spread, negate(HALF), *rest, negate(self.log_scale))

    def log_density(self) -> Scalar:
        """log q at the draw: (z - μ)/σ is the noise."""
        square = multiply(negate(HALF), power(self.noise, Fraction(2)))
        return add(square, negate(self.log_scale), multiply(negate(HALF), Call("log", multiply(TWO, Pi()))))


@dataclass(slots=True)
class _Rewriting:
    """Puts other symbols in the place of those of a name; ``added`` are the named values that this takes."""

    symbols: Mapping[str, Symbol]
    taken: set[str]
    added: list[Definition] = field(default_factory=list)

    def definitions_of(self, model: Model) -> list[Definition]:
        """The definitions of a net, made of the other symbols."""
        return [replace(d, term=replace(d.term, body=self._moved(d.term.body))) for d in model.definitions]

    def draw(self, factor: Factor) -> _Latent:
        """z = μ + σ·ε under the name of the variable, and μ and σ under names of their own."""
        target = factor.target
        indices, values = self._parameters(factor)
        mean = self._named(f"q_mean_{target.name}", target, indices, values["mean"])
        scale = _scale(values["precision"])
        if isinstance(scale, Call) and scale.function == "exp":
            log_scale = self._named(f"q_log_scale_{target.name}", target, indices, scale.argument)
            scale = self._named(f"q_scale_{target.name}", target, indices, Call("exp", log_scale))
        else:
            scale = self._named(f"q_scale_{target.name}", target, indices, scale)
            log_scale = Call("log", scale)
        noise = Access(noise_of(target), tuple(map(at, indices)))
        symbol = self.symbols[target.name]
        assert isinstance(symbol, Intermediate)
        self._define(symbol, indices, add(mean, multiply(scale, noise)))
        return _Latent(indices, mean, scale, log_scale, noise)

    def terms(self, factor: Factor, latent: _Latent | None, closed: bool) -> list[EnergyTerm]:
        """-log p of the units of a variable; of a latent one the divergence, or log q - log p at the draw."""
        target, (indices, values) = factor.target, self._parameters(factor)
        named = {
            name: value
            if isinstance(value, Access | Number)
            else self._named(f"{name}_{target.name}", target, indices, value)
            for name, value in values.items()
        }
        parts: list[Scalar] = []
        if latent is None or not closed:
            parts += map(self._moved, negative_log_law(target, factor.family, indices, named))
        if latent is not None:
            here = latent.at(indices)
            share = here.divergence(named["mean"], named["precision"]) if closed else here.log_density()
            parts.append(Sum(share, indices) if indices else share)
        return [as_term(part, None) for part in parts]

    def _parameters(self, factor: Factor) -> tuple[tuple[Index, ...], dict[str, Scalar]]:
        """Fresh indices of a unit, and the parameters of its law there."""
        first, _ = parameter_of(factor.target, factor.parameters[0][1])
        indices = tuple(fresh_index(index.name, axis_name(factor.target, k)) for k, index in enumerate(first))
        values: dict[str, Scalar] = {}
        for name, term in factor.parameters:
            own, body = parameter_of(factor.target, term)
            values[name] = rename(self._moved(freshen(body)), dict(zip(own, indices, strict=True)))
        return indices, values

    def _moved(self, node: Scalar) -> Scalar:
        return replace_symbols(node, self.symbols)

    def _named(self, wish: str, target: Variable, indices: tuple[Index, ...], body: Scalar) -> Scalar:
        """The value under a name, over the indices that it has."""
        kept = [k for k, index in enumerate(indices) if index in free_indices(body)]
        own = tuple(indices[k] for k in kept)
        name = next(n for k in range(1, len(self.taken) + 2) if (n := wish + f"_{k}" * (k > 1)) not in self.taken)
        self.taken.add(name)
        symbol = Intermediate(name, tuple(access_axes(target)[k] for k in kept), depends_on_example(body))
        self._define(symbol, own, body)
        return Access(symbol, tuple(map(at, own)))

    def _define(self, symbol: Intermediate, indices: tuple[Index, ...], body: Scalar) -> None:
        own = {index: fresh_index(index.name, index.extent) for index in indices}
        equation = parameter_term(symbol, tuple(own.values()), rename(freshen(body), own))
        self.added.append(Definition(symbol, equation))


def _scale(precision: Scalar) -> Scalar:
    """The standard deviation."""
    if isinstance(precision, Pow) and precision.exponent == -2:
        return precision.base
    return ONE if precision == ONE else Pow(precision, Fraction(-1, 2))
