"""Precisions that are not positive, found where they are used, and put down to a parameter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pgmc.errors import NumericsError
from pgmc.ir.queries import Conditional, FreeEnergy, Query
from pgmc.runtime.kernels import Array, Panel

if TYPE_CHECKING:
    from pgmc.runtime.executable import Executable

Arrays = Mapping[str, Array]

SCALES = {"precision", "rate"}
"""Parameters of laws that have to be positive."""

REMEDY = "It must be positive: declare its parameter positive=True, weaken the couplings, or lower the learning rate."


def check_answer(executable: Executable, query: Query, params: Arrays, state: Arrays, answer: Arrays) -> None:
    """Raises NumericsError if the precision of a conditional is not positive, or a free energy not a number."""
    if isinstance(query, Conditional) and SCALES & set(answer):
        if not np.all(_scales(answer) > 0):
            raise _not_positive(executable, query.target, answer)
    elif isinstance(query, FreeEnergy) and np.isnan(answer["free_energy"]).any():
        real = [v.name for v in executable.continuous if v.name not in query.observed]
        raise _reason(executable, real, params, state, "a free energy")


def check_real_values(executable: Executable, name: str, params: Arrays, state: Arrays) -> None:
    """Raises NumericsError if a value of a real variable is not finite after a sweep."""
    values = state[name]
    # The sum of squares is the cheapest thing that such a value shows in; it may also overflow by itself.
    if not np.isfinite(np.vdot(values, values)) and not np.isfinite(values).all():
        raise _reason(executable, [name], params, state, f"a value of {name}")


def _reason(executable: Executable, names: list[str], params: Arrays, state: Arrays, what: str) -> NumericsError:
    """The variable whose precision is not positive in this state, if there is one; else all that may be to blame."""
    known = {name: np.nan_to_num(array) for name, array in state.items()}
    if all(v.name in known for v in executable.model.variables if v.name not in names):
        for name in names:
            panel = Panel(rows=len(next(iter(known.values()), [0])), params=params, state=known)
            found = executable.kernel(Conditional(name)).evaluate(panel)
            if SCALES & set(found) and not np.all(_scales(found) > 0):
                return _not_positive(executable, name, found)
    scales = " ".join(map(executable.describe_scale, names))
    return NumericsError(f"Model {executable.model.name!r}: {what} is not finite. {scales} {REMEDY}")


def _scales(answer: Arrays) -> Array:
    """What has to be positive: the precision of each unit, or the smallest eigenvalue of a matrix in each row."""
    if "rate" in answer:
        return np.asarray(np.minimum(answer["rate"], answer["shape"]))
    precision = answer["precision"]
    if "field" not in answer:
        return precision
    size = answer["field"][0].size
    return np.asarray(np.linalg.eigvalsh(precision.reshape(len(precision), size, size).astype(np.float64))[:, 0])


def _not_positive(executable: Executable, name: str, answer: Arrays) -> NumericsError:
    precision = _scales(answer)
    if "field" in answer:
        return NumericsError(
            f"Model {executable.model.name!r}: {name} has no normal law, the smallest eigenvalue of its precision is "
            f"{precision.min():.6g}. {executable.describe_scale(name)} {REMEDY}"
        )
    worst = tuple(int(k) for k in np.unravel_index(int(np.nanargmin(precision)), precision.shape))
    unit = f"{name}[{', '.join(map(str, worst[1:]))}]" if len(worst) > 1 else name
    law = "gamma law, its rate or its shape" if "rate" in answer else "normal law, its precision"
    return NumericsError(
        f"Model {executable.model.name!r}: {unit} has no {law} is {precision[worst]:.6g}. "
        f"{executable.describe_scale(name)} {REMEDY}"
    )
