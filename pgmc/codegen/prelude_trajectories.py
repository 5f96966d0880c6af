"""The text of helpers that move units by Hamiltonian Monte Carlo; arrays have a row for each chain.

References
----------
.. [neal2011] Neal, MCMC using Hamiltonian dynamics, Handbook of Markov chain Monte Carlo, chapter 5, 2011.
"""

from __future__ import annotations

from pgmc.codegen.helper import Helper
from pgmc.ir.slice_steps import SMALLEST
from pgmc.ir.trajectory_symbols import DIVERGED

_DRAW_MOMENTA = Helper(
    '''\
@helper
def draw_momenta(momentum, key_0, key_1, first_chain, sweep, site):
    """Normal numbers for every unit of every chain, a draw of their own."""
    for n in range(momentum.shape[0]):
        r0, r1 = row_key(key_0, key_1, first_chain + n, sweep)
        a0, a1 = draw_keys(r0, r1, 1)
        for i in range(momentum.shape[1]):
            momentum[n, i] = unit_normal(a0, a1, site + i)
''',
    ("row_key", "draw_keys", "unit_normal"),
)

_DRAW_STEPS = Helper(
    '''\
@helper
def draw_steps(steps, step_size, jitter, key_0, key_1, first_chain, sweep, site):
    """The size of the steps of each chain, up to the share jitter more or less, so that no orbit closes."""
    for n in range(steps.shape[0]):
        r0, r1 = row_key(key_0, key_1, first_chain + n, sweep)
        a0, a1 = draw_keys(r0, r1, 2)
        steps[n] = step_size[n] * (1.0 + jitter * (2.0 * wide_uniform(a0, a1, site) - 1.0))
''',
    ("row_key", "draw_keys", "wide_uniform"),
)

_KICK = Helper(
    '''\
@helper
def kick(momentum, slope, steps):
    """Half a step of the momenta, down the slope of the potential."""
    for n in range(momentum.shape[0]):
        half = FLOAT(0.5) * steps[n]
        for i in range(momentum.shape[1]):
            momentum[n, i] -= half * slope[n, i]
''',
    ("helper",),
)

_DRIFT = Helper(
    '''\
@helper
def drift(units, momentum, steps):
    """A step of the units along their momenta."""
    for n in range(units.shape[0]):
        for i in range(units.shape[1]):
            units[n, i] += steps[n] * momentum[n, i]
''',
    ("helper",),
)

_DRIFT_LOGARITHMS = Helper(
    f'''\
@helper
def drift_logarithms(units, momentum, steps):
    """A step of the logarithms of positive units."""
    for n in range(units.shape[0]):
        for i in range(units.shape[1]):
            units[n, i] = max(units[n, i] * np.exp(steps[n] * momentum[n, i]), FLOAT({SMALLEST}))
''',
    ("helper",),
)

_HOLD = Helper(
    '''\
@helper
def hold(array, kept):
    """0 for units that keep their values, so that they stand still."""
    for n in range(array.shape[0]):
        for i in range(array.shape[1]):
            if kept[n, i]:
                array[n, i] = FLOAT(0)
''',
    ("helper",),
)

_ADD_KINETIC = Helper(
    '''\
@helper
def add_kinetic(energy, momentum):
    """Half the squares of the momenta, added in float64."""
    for n in range(momentum.shape[0]):
        total = 0.0
        for i in range(momentum.shape[1]):
            total += np.float64(momentum[n, i]) * np.float64(momentum[n, i])
        energy[n] += 0.5 * total
''',
    ("helper",),
)

_JUDGE = Helper(
    f'''\
@helper
def judge(before, after, acceptance, divergences, key_0, key_1, first_chain, sweep, site):
    """before becomes 1 where a move is accepted, with probability min(1, exp(before - after)), else 0."""
    for n in range(before.shape[0]):
        gain = before[n] - after[n]
        r0, r1 = row_key(key_0, key_1, first_chain + n, sweep)
        a0, a1 = draw_keys(r0, r1, 3)
        probability = np.exp(min(gain, 0.0)) if gain == gain else 0.0
        acceptance[n] += FLOAT(probability) if np.isfinite(before[n]) else FLOAT(np.nan)
        divergences[n] += FLOAT(0) if gain > -{DIVERGED} else FLOAT(1)
        before[n] = 1.0 if wide_uniform(a0, a1, site) < probability else 0.0
''',
    ("row_key", "draw_keys", "wide_uniform"),
)

_PUT_BACK = Helper(
    '''\
@helper
def put_back(units, start, accepted):
    """The units of chains whose move was not accepted, back where they started."""
    for n in range(units.shape[0]):
        if accepted[n] == 0.0:
            for i in range(units.shape[1]):
                units[n, i] = start[n, i]
''',
    ("helper",),
)

TRAJECTORIES = {
    "draw_momenta": _DRAW_MOMENTA,
    "draw_steps": _DRAW_STEPS,
    "kick": _KICK,
    "drift": _DRIFT,
    "drift_logarithms": _DRIFT_LOGARITHMS,
    "hold": _HOLD,
    "add_kinetic": _ADD_KINETIC,
    "judge": _JUDGE,
    "put_back": _PUT_BACK,
}
