"""Deliberate faults: each is one small change of a file of pgmc that the tests have to notice."""

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


DERIVATION = (
    Mutant(
        "the sign of every binary field",
        "derivation/families.py",
        'logits = _scaled_slope(local, (0, 1), Fraction(-1))\n    reason = "a unit with two values',
        'logits = _scaled_slope(local, (0, 1), Fraction(1))\n    reason = "a unit with two values',
        CONDITIONALS,
    ),
    Mutant("a spin's field without its factor 2", "derivation/families.py", "Fraction(-2))", "Fraction(-1))"),
    Mutant(
        "one-hot logits twice as large",
        "derivation/families.py",
        'logits = _scaled_slope(local, (0, 1), Fraction(-1))\n    reason = "a one-hot unit',
        'logits = _scaled_slope(local, (0, 1), Fraction(-2))\n    reason = "a one-hot unit',
        CONDITIONALS,
    ),
    Mutant(
        "neighbours looked for on the wrong side",
        "derivation/solve.py",
        "affine(rest, -c * apart.offset)",
        "affine(rest, c * apart.offset)",
        LATTICES,
    ),
    Mutant(
        "a product of a unit with itself is left out",
        "derivation/local_energy.py",
        "for size in range(len(items) + 1) for chosen",
        "for size in range(min(len(items), 1) + 1) for chosen",
        CONDITIONALS,
    ),
    Mutant(
        "a unit couples to itself",
        "derivation/local_energy.py",
        'return Bracket((replace_fields(equations[0], operator="!="),))',
        "return ONE",
        CONDITIONALS,
    ),
    Mutant(
        "functions of a unit lose a part of their base",
        "derivation/scalars.py",
        "high * at_low - low * at_high",
        "high * at_low + low * at_high",
        FREE_ENERGIES,
    ),
    Mutant(
        "free energies put spins at 0 for reference",
        "derivation/free_energy.py",
        "values = (-1, 1) if isinstance(domain, Spin) else (0, 1)",
        "values = (0, 1)",
        FREE_ENERGIES,
    ),
    Mutant(
        "free energies add half of a spin's field",
        "derivation/free_energy.py",
        "negate(multiply(half, law.logits))",
        "multiply(half, law.logits)",
        FREE_ENERGIES,
    ),
    Mutant(
        "a unit without a field counts for nothing",
        "derivation/free_energy.py",
        'one = Call("log", Number(Fraction(2)))',
        "one = ZERO",
        ("tests/derivation/test_like_terms.py",),
    ),
    Mutant(
        "sums of one number over axes of different lengths are like terms",
        "ir/structural_key.py",
        "return (_number_bound(substitute(node, numbered), len(free)), _uncarried(node)), free",
        "return (_number_bound(substitute(node, numbered), len(free)), ()), free",
        ("tests/derivation/test_like_terms.py",),
    ),
    Mutant(
        "the derivative of tanh without its square",
        "derivation/gradients.py",
        'negate(Pow(Call("tanh", x), Fraction(2)))',
        'negate(Call("tanh", x))',
        GRADIENTS,
    ),
    Mutant(
        "the sign of the derivative of cos",
        "derivation/gradients.py",
        '"cos": negate(Call("sin", x))',
        '"cos": Call("sin", x)',
        GRADIENTS,
    ),
    Mutant(
        "products are differentiated in their first factors only",
        "derivation/gradients.py",
        "for k, factor in enumerate(factors)",
        "for k, factor in enumerate(factors[:2])",
        GRADIENTS,
    ),
    Mutant(
        "the derivative of a log-sum-exp is not normalised",
        "derivation/gradients.py",
        'Call("exp", add(exponent, negate(freshen(node))))',
        'Call("exp", exponent)',
        GRADIENTS,
    ),
    Mutant(
        "the inverse temperature counts twice",
        "derivation/ensembles.py",
        "body=multiply(beta, term.body)",
        "body=multiply(beta, beta, term.body)",
        ENSEMBLES,
    ),
    Mutant(
        "the sign of the base of an annealing path",
        "derivation/ensembles.py",
        "_base_term(v, b, Fraction(-1), 1)",
        "_base_term(v, b, Fraction(1), 1)",
        ENSEMBLES,
    ),
    Mutant(
        "the base of an annealing path is weighed by β",
        "derivation/ensembles.py",
        "weight = add(ONE, negate(Access(INVERSE_TEMPERATURE, ())))",
        "weight = Access(INVERSE_TEMPERATURE, ())",
        ENSEMBLES,
    ),
    Mutant(
        "half of the entropy is missing",
        "derivation/mean_field.py",
        'summed(add(Call("xlogx", value), Call("xlogx", add(ONE, negate(value)))), indices)',
        'summed(Call("xlogx", value), indices)',
        MEANS,
    ),
    Mutant(
        "damping keeps what it should replace",
        "derivation/mean_field.py",
        "body = add(multiply(add(ONE, negate(damping)), best.body), multiply(damping, old))",
        "body = add(multiply(damping, best.body), multiply(add(ONE, negate(damping)), old))",
        ("tests/runtime/test_mean_field.py",),
    ),
    Mutant(
        "products of means where units coincide",
        "derivation/separate_units.py",
        "return [*different, *_separate(*_identify(_at_unit_of(first, second, body), over, same), variables, apart)]",
        "return different",
        MEANS,
    ),
    Mutant(
        "relations that exclude one another both hold",
        "derivation/relations.py",
        'return other.operator == "!=" and apart in (zero, combined(Position(), zero, -1))',
        "return False",
        ("tests/derivation/test_relations.py",),
    ),
    Mutant(
        "what follows from a relation the wrong way round is dropped",
        "derivation/relations.py",
        "return never_negative(difference(wanted, known))",
        "return never_negative(difference(known, wanted))",
        ("tests/derivation/test_relations.py",),
    ),
)

SCHEDULE = (
    Mutant(
        "units within one function count as independent",
        "analysis/interactions.py",
        "within | crossing | set(_siblings(node))",
        "within | crossing",
        ("tests/analysis/test_interactions.py",),
    ),
    Mutant(
        "units of two factors count as independent",
        "analysis/interactions.py",
        "for couple in joined.couples | crossing)",
        "for couple in joined.couples)",
        ("tests/analysis/test_interactions.py",),
    ),
    Mutant(
        "neighbours are updated at once",
        "analysis/coloring.py",
        "if color not in taken:",
        "if color not in taken or color == 0:",
        ("tests/analysis/test_coloring.py",),
    ),
    Mutant(
        "coupled units of a group are updated at once",
        "analysis/blocks.py",
        'Block((n,), color, "sequential")',
        'Block((n,), color, "parallel")',
        ("tests/analysis/test_blocks.py",),
    ),
    Mutant(
        "a backward sweep goes forward",
        "schedule/sweeps.py",
        "(draws[::-1] if query.backward else draws)",
        "draws",
        SWEEPS,
    ),
    Mutant(
        "clamped units move",
        "schedule/sweeps.py",
        "masked = tuple(name for name in block.variables if name in query.masked)",
        "masked = ()",
        SWEEPS,
    ),
    Mutant(
        "every linear form is a colouring",
        "analysis/unit_coloring.py",
        "return all(sum(w * d for w, d in zip(weights, offset, strict=True)) % modulus for offset in offsets)",
        "return True",
        LATTICES,
    ),
)

GENERATION = (
    Mutant(
        "the sign of a logit at the draw",
        "codegen/prelude_states.py",
        "return u + u * exp_neg(logit) < FLOAT(GRID_SIZE)",
        "return u + u * exp_neg(-logit) < FLOAT(GRID_SIZE)",
    ),
    Mutant(
        "weights of states are not normalised at the draw",
        "codegen/prelude_states.py",
        "if running > u * total:",
        "if running > u:",
    ),
    Mutant(
        "all units share one random number",
        "codegen/prelude_random.py",
        "z = r0 + np.uint64(site) * np.uint64(0x9E3779B97F4A7C15)",
        "z = r0 + np.uint64(0x9E3779B97F4A7C15)",
    ),
    Mutant(
        "all sweeps share their random numbers",
        "codegen/prelude_random.py",
        "sweep_step = np.uint64(sweep) * step",
        "sweep_step = np.uint64(0) * step",
    ),
    Mutant(
        "all chains share their random numbers",
        "codegen/prelude_random.py",
        "chain_step = np.uint64(chain) * step",
        "chain_step = np.uint64(0) * step",
    ),
    Mutant(
        "places wrap to the last one",
        "codegen/prelude_functions.py",
        "return place if 0 <= place < length else place % length",
        "return place if 0 <= place < length else length - 1",
        LATTICES,
    ),
    Mutant(
        "fields of a block are not computed anew",
        "codegen/lower_contractions.py",
        "stale = [k for k, target in self._known.items() if names & self.sources[target.symbol.name]]",
        "stale: list[tuple[Scalar, tuple[int, ...]]] = []",
        FORMS,
    ),
    Mutant(
        "transposed weights",
        "codegen/lower_loop_program.py",
        "return MatrixView(operand.symbol, names(rows), names(columns), transposed=True)",
        "return MatrixView(operand.symbol, names(rows), names(columns), transposed=False)",
    ),
    Mutant(
        "masks are ignored in the text",
        "codegen/lower_loop_program.py",
        "return (UnlessMasked(target, draw),) if masked else draw",
        "return draw",
        SWEEPS,
    ),
    Mutant(
        "relations between indices are ignored",
        "codegen/loop_nests.py",
        "return (Guard(relations, step),) if relations else step",
        "return step",
    ),
    Mutant(
        "the largest exponent is not added back",
        "codegen/loop_nests.py",
        'value = Add((top, Call("log", total)))',
        'value = Call("log", total)',
    ),
    Mutant(
        "the first unit is never updated in a backward sweep",
        "codegen/numba_printer.py",
        'bounds = f"{length} - 1, -1, -1" if loop.backward else length',
        'bounds = f"{length} - 1, 0, -1" if loop.backward else length',
        SWEEPS,
    ),
    Mutant(
        "the last unit is never updated",
        "codegen/numba_printer.py",
        'return f"for {self.index(loop.index)} in range({first}, {length}, {modulus}):"',
        'return f"for {self.index(loop.index)} in range({first}, {length} - 1, {modulus}):"',
        LATTICES,
    ),
    Mutant(
        "rows of a batch beyond the first are not computed",
        "codegen/numba_printer.py",
        'return f"for {self.example} in range({self.examples}):"',
        'return f"for {self.example} in range(1):"',
    ),
    Mutant(
        "means over a batch are not weighted",
        "codegen/lower_contractions.py",
        "weight = [*coefficient, Access(WEIGHTS, ()), *scalars]",
        "weight = [*coefficient, *scalars]",
    ),
    Mutant(
        "a logarithm that is not computed is no number",
        "codegen/loop_nests.py",
        "if not isinstance(value, Access):",
        "if False:",
        ("tests/codegen/test_generated_kernels.py", "-k", "log_sum_times"),
    ),
)

RUN_TIME = (
    Mutant(
        "the reference goes forward in backward sweeps",
        "runtime/interpreted.py",
        "(units[::-1] if update.backward else units)",
        "units",
        ("tests/codegen/test_generated_kernels.py",),
    ),
    Mutant(
        "all purposes share one stream",
        "runtime/streams.py",
        'return Stream(self.seed, f"{self.purpose}/{name}")',
        "return Stream(self.seed, self.purpose)",
        ("tests/runtime/test_streams.py",),
    ),
    Mutant(
        "every launch begins with the first sweep's random numbers",
        "runtime/chains.py",
        "self._launch(ensemble, chosen.state, first + done, sweeps)",
        "self._launch(ensemble, chosen.state, first, sweeps)",
        CHAINS,
    ),
    Mutant(
        "a schedule of temperatures stays at its first",
        "runtime/chains.py",
        "TEMPERATURE: chosen.temperatures[t]}, first + t, 1)",
        "TEMPERATURE: chosen.temperatures[0]}, first + t, 1)",
        CHAINS,
    ),
    Mutant(
        "panels of chains share their random numbers",
        "runtime/executable.py",
        "(first, _cut(params, state, None, masks or {}, first, min(first + CHAINS_PER_PANEL, chains)))",
        "(0, _cut(params, state, None, masks or {}, first, min(first + CHAINS_PER_PANEL, chains)))",
        ("tests/runtime/test_executable.py", "-k", "different_panels"),
    ),
    Mutant(
        "masked weights are kept",
        "ir/constraints.py",
        "values = np.where(constraint.mask, values, values.dtype.type(0))",
        "pass",
        ("tests/ir/test_constraints.py",),
    ),
    Mutant(
        "symmetric weights are doubled",
        "ir/constraints.py",
        "values = values * values.dtype.type(0.5)",
        "values = values * values.dtype.type(1.0)",
        ("tests/ir/test_constraints.py",),
    ),
)

EVALUATION_AND_LEARNING = (
    Mutant(
        "annealing leaves out its last step",
        "evaluation/ais.py",
        "for step in range(1, steps + 1):",
        "for step in range(1, steps):",
        ANNEALING,
    ),
    Mutant(
        "chains that anneal down move forward",
        "evaluation/ais.py",
        "path.move(state, step - 1, backward=True)",
        "path.move(state, step - 1)",
        ANNEALING,
    ),
    Mutant(
        "weights of annealing with the temperatures exchanged",
        "evaluation/ais.py",
        '(("", self.betas[step - 1]), ("next_", self.betas[step]))',
        '(("", self.betas[step]), ("next_", self.betas[step - 1]))',
        ANNEALING,
    ),
    Mutant(
        "fantasies are added to the data",
        "learning/phases.py",
        "weights[rows:] = -1.0 / (count - rows)",
        "weights[rows:] = 1.0 / (count - rows)",
        TRAINING,
    ),
    Mutant(
        "phases of contrastive divergence in the wrong order",
        "learning/contrastive_divergence.py",
        "query = Sweep(every, first=setup.observed)",
        "query = Sweep(every, first=setup.latents)",
        TRAINING,
    ),
    Mutant(
        "one sweep too few",
        "learning/contrastive_divergence.py",
        "else self.k - 1",
        "else max(self.k - 2, 0)",
        TRAINING,
    ),
    Mutant(
        "the sign of the negative phase of exact likelihood",
        "learning/exact_likelihood.py",
        "(gradients[name] - value)",
        "(gradients[name] + value)",
        TRAINING,
    ),
    Mutant(
        "the sign of the negative phase of a discriminative objective",
        "learning/discriminative.py",
        "(gradients[name] - value)",
        "(gradients[name] + value)",
        ("tests/learning/test_discriminative.py",),
    ),
    Mutant(
        "the positive phase of mean field climbs down",
        "learning/mean_field_pcd.py",
        "-positive[name] - negative[name]",
        "positive[name] - negative[name]",
        ("tests/learning/test_mean_field_pcd.py",),
    ),
    Mutant(
        "velocities never decay",
        "learning/optimizers.py",
        "velocity *= kind(self.momentum)",
        "velocity *= kind(1.0)",
        ("tests/learning/test_optimizers.py",),
    ),
    Mutant(
        "weight decay lets weights grow",
        "learning/optimizers.py",
        "direction += kind(self.weight_decay) * value",
        "direction -= kind(self.weight_decay) * value",
        ("tests/learning/test_optimizers.py",),
    ),
    Mutant(
        "the bias correction of Adam is one step late",
        "learning/optimizers.py",
        "root = math.sqrt(1.0 - self.beta2 ** (step + 1))",
        "root = math.sqrt(1.0 - self.beta2 ** (step + 2))",
        ("tests/learning/test_optimizers.py",),
    ),
)

MUTANTS = (*DERIVATION, *SCHEDULE, *GENERATION, *RUN_TIME, *EVALUATION_AND_LEARNING)
