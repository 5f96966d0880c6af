"""Deliberate faults in what concerns edges, counts, real and positive units, and directed factors."""

from __future__ import annotations

from mutant import Mutant

EDGES_AND_COUNTS = (
    Mutant(
        "units of lanes are read beyond the end of an open axis",
        "codegen/lanes.py",
        "*own, *conditions))\n\n    def _is_shared",
        "*own))\n\n    def _is_shared",
    ),
    Mutant(
        "sums over counts forget the factorial of the total",
        "derivation/counts.py",
        "negate(log_factorial(total)))",
        "log_factorial(total))",
        ("tests/groups/test_counts.py", "-k", "documents"),
    ),
    Mutant(
        "the sign of a count's field",
        "derivation/counts.py",
        "score = negate(slope)",
        "score = slope",
        ("tests/groups/test_counts.py", "-k", "documents"),
    ),
    Mutant(
        "totals of counts are lost with the directed factors",
        "ir/factors.py",
        "used |= {total_name(v) for v in variables if isinstance(v.domain, Count) and v.domain.total is not None}",
        "pass",
        ("tests/groups/test_counts.py", "-k", "beside_directed"),
    ),
)

REAL_UNITS = (
    Mutant(
        "a precision of half the curvature",
        "derivation/gaussian.py",
        "precision = multiply(number(2), total[2])",
        "precision = total[2]",
        ("tests/real_units/test_normal_units.py", "-k", "read_off"),
    ),
    Mutant(
        "the sign of a real unit's mean",
        "derivation/gaussian.py",
        "mean = collect_factors(quotient(negate(total[1]), precision))",
        "mean = collect_factors(quotient(total[1], precision))",
        ("tests/real_units/test_normal_units.py", "-k", "read_off"),
    ),
    Mutant(
        "Gaussian integrals grow with the precision",
        "derivation/gaussian.py",
        "constant, negate(spread)",
        "constant, spread",
        ("tests/real_units/test_normal_units.py", "-k", "integrates"),
    ),
    Mutant(
        "Gaussian integrals without their mean",
        "derivation/gaussian.py",
        "parts = multiply(half, precision, power(mean, Fraction(2))), constant",
        "parts = ZERO, constant",
        ("tests/real_units/test_normal_units.py", "-k", "integrates"),
    ),
    Mutant(
        "the joint precision keeps half of its diagonal",
        "derivation/joint_gaussian.py",
        "multiply(number(2), total[2])",
        "total[2]",
        ("tests/real_units/test_joint_normal.py", "-k", "mean_and_covariance"),
    ),
    Mutant(
        "the field of joint units has the wrong sign",
        "derivation/joint_gaussian.py",
        "field = collect_factors(negate(_without_units(pull, local)))",
        "field = collect_factors(_without_units(pull, local))",
        ("tests/real_units/test_joint_normal.py", "-k", "mean_and_covariance"),
    ),
    Mutant(
        "gamma integrals without their rate",
        "derivation/positive_units.py",
        'ZERO if rate == ONE else negate(multiply(shape, Call("log", rate))),',
        "ZERO,",
        ("tests/real_units/test_positive_units.py", "-k", "student"),
    ),
    Mutant(
        "the derivative of the logarithm of gamma without its recurrence",
        "codegen/prelude_functions.py",
        "- 0.5 / y - series - total)",
        "- 0.5 / y - series)",
        ("tests/derivation/test_gradients.py", "-k", "log_gamma"),
    ),
    Mutant(
        "positive units are integrated over with a law that has none",
        "analysis/block_search.py",
        "isinstance(self.model.variable(n).domain, Binary | Spin | Categorical)",
        "True",
        ("tests/real_units/test_positive_units.py", "-k", "given_the_real"),
    ),
    Mutant(
        "units that a clamp leaves free start outside their range",
        "runtime/starts.py",
        "isinstance(declared[name].domain, Spin | Positive)",
        "isinstance(declared[name].domain, Spin)",
        ("tests/real_units/test_positive_units.py", "-k", "leaves_free"),
    ),
)

DIRECTED = (
    Mutant(
        "the law of a directed spin counts its logit twice",
        "ir/factor_energy.py",
        "taken = Add((_product(HALF, logits), _product(HALF, unit, logits)))",
        "taken = Add((_product(HALF, logits), _product(unit, logits)))",
    ),
    Mutant(
        "directed units of two values are not normalised",
        "ir/factor_energy.py",
        'return _summed([Call("softplus", logits), _product(MINUS, taken)], indices)',
        "return _summed([_product(MINUS, taken)], indices)",
    ),
    Mutant(
        "a directed normal law without its precision",
        "ir/factor_energy.py",
        '[_product(MINUS, HALF, Call("log", precision))]',
        "[]",
    ),
    Mutant(
        "the inference net counts the base measure of what it is given",
        "dsl/guide.py",
        "tuple(term for term in model.terms if term.child is not None)",
        "tuple(model.terms)",
        ("tests/groups/test_counts.py", "-k", "inference_net"),
    ),
    Mutant(
        "ancestral passes go from effects to causes",
        "schedule/ancestral.py",
        "updates = tuple(_update(factor, model) for factor in factors)",
        "updates = tuple(_update(factor, model) for factor in factors[::-1])",
        ("tests/schedule/test_ancestral.py",),
    ),
    Mutant(
        "a pair keeps what normalises its factor",
        "derivation/undirected_pair.py",
        "and (child is None or child in {v.name for v in own})",
        "and (child is None or bool(own))",
        ("tests/learning/test_layerwise.py",),
    ),
    Mutant(
        "the guide gets the weights of another level",
        "program/layerwise.py",
        "{own: np.array(step.params[other]) for own, other in same.items()}",
        "{own: 0 * np.array(step.params[other]) for own, other in same.items()}",
        ("tests/learning/test_layerwise.py",),
    ),
    Mutant(
        "up-down forgets the negative phase of the top",
        "learning/up_down.py",
        "gradients[name] = (gradients[name] - value)",
        "gradients[name] = (gradients[name] - 0 * value)",
        ("tests/learning/test_layerwise.py",),
    ),
    Mutant(
        "a baseline that sees the draw it is for",
        "learning/reinforce.py",
        "return np.ravel((own.sum(axis=1, keepdims=True) - own) / (self.samples - 1))",
        "return np.ravel(own.sum(axis=1, keepdims=True) + 0 * own) / self.samples",
        ("tests/learning/test_reinforce.py",),
    ),
    Mutant(
        "squares of derivatives without their common factors",
        "derivation/gradients.py",
        "for factor in (*common, rest)))",
        "for factor in (*common[1:], rest)))",
        ("tests/learning/test_reinforce.py",),
    ),
    Mutant(
        "a kept field is not corrected by its unit",
        "codegen/lower_loop_program.py",
        "change = Add((target, Mul((number(-1), before))))",
        "change = Add((target, Mul((number(-1), target))))",
        ("tests/codegen/test_kept_fields.py",),
    ),
    Mutant(
        "a unit counts among those that a kept field is given",
        "codegen/kept_fields.py",
        "return Add((whole, part))",
        "return whole",
        ("tests/codegen/test_kept_fields.py",),
    ),
    Mutant(
        "residuals of least squares are not squared",
        "program/closed_form.py",
        "squares[unit] = np.square(wanted - fitted).mean()",
        "squares[unit] = np.abs(wanted - fitted).mean()",
        ("tests/program/test_closed_form.py",),
    ),
)
