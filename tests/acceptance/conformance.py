"""Differential conformance of pgmc against the brute-force oracle on random discrete models.

    python conformance.py [--seeds 0:40] [--max-states 128] [--samples]

Each seed draws a model (binary, spin and categorical groups; biases, sparse and dense pairs within and
between groups, third order), declares it through pgmc's public interface, in array or in index spelling by
turns, compiles it in float64 and compares with enumeration: energies, log Z, every single-site conditional
in every state, the free energy of every prefix of the groups that pgmc offers, energy gradients, and (with
--samples) one sweep from exact starts: invariance, and every unit moves. Prints one line a failing seed and
a summary; exits 1 if anything failed.
"""

import argparse
import sys
import traceback
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "oracle"))
import oracle as o  # noqa: E402
import pgmc  # noqa: E402


def width(values):
    return () if len(values) == 2 else (len(values),)


def declare(spec, terms, index_spelling):
    """The same energy as oracle.energy_of, through pgmc's public interface."""
    m = pgmc.Model("fuzz")
    units = {}
    for name, (shape, values) in spec.items():
        if values == (0, 1):
            units[name] = m.binary(name, shape)
        elif values == (-1, 1):
            units[name] = m.spin(name, shape)
        else:
            units[name] = m.categorical(name, shape, states=len(values))
    for groups, param, mask in terms:
        shapes = [spec[g][0] + width(spec[g][1]) for g in groups]
        full = sum(shapes, ())
        weight = m.param(param, full, mask=mask.reshape(full)) if full else m.param(param, ())
        letters = iter("ijklmnopq")
        subs = ["".join(next(letters) for _ in s) for s in shapes]
        if index_spelling and full:
            names = " ".join("".join(subs))
            axes = dict(zip(names.split(), np.atleast_1d(np.array(pgmc.indices(names), dtype=object))))
            expr = weight[tuple(axes[a] for a in "".join(subs))]
            for g, s in zip(groups, subs):
                expr = expr * (units[g][tuple(axes[a] for a in s)] if s else units[g])
            m.energy(-expr)
        else:
            m.energy(-pgmc.einsum(",".join(subs) + "," + "".join(subs) + "->", *[units[g] for g in groups], weight))
    return m


def params_of(spec, terms, theta):
    out = {}
    for groups, param, mask in terms:
        full = sum((spec[g][0] + width(spec[g][1]) for g in groups), ())
        out[param] = (mask * np.asarray(theta[param])).reshape(full).astype(np.float64)
    return out


def check(seed, max_states, samples):
    rng = np.random.default_rng(seed)
    spec, terms, theta = o.random_model(rng, max_states)
    if not terms:
        return {}
    energy = o.energy_of(spec, terms)
    exact = o.Exact(spec, lambda x: energy(x, theta))
    m = declare(spec, terms, index_spelling=seed % 2 == 1)
    p = pgmc.compile(m, dtype="float64")
    params, state = params_of(spec, terms, theta), exact.states()
    err = {"energy": np.abs(np.asarray(p.energy(params, state)) - exact.E).max() / (1 + np.abs(exact.E).max())}
    err["log Z"] = abs(p.log_partition(params, method="exact").value - exact.log_z)

    for name, (shape, values) in spec.items():  # conditionals of every unit in every state
        probs = np.asarray(p.conditional(name).evaluate(params, state)["probs"])
        sites = [k for k, (n, _) in enumerate(exact.sites) if n == name]
        want = np.stack([exact.conditional(s)[0] for s in sites], axis=1)  # (S, sites, K)
        got = probs.reshape(len(probs), len(sites), -1)
        want = want[..., 1:] if len(values) == 2 else want
        err[f"p({name}|rest)"] = np.abs(got - want).max()

    names, taken = list(spec), []
    for name in names[:-1]:  # free energies, where offered
        taken.append(name)
        sites = [k for k, (n, _) in enumerate(exact.sites) if n in taken]
        codes = np.stack(
            np.unravel_index(np.arange(int(np.prod([exact.card[s] for s in sites]))), [exact.card[s] for s in sites]),
            1,
        )
        full = np.zeros((len(codes), exact.n), int)
        full[:, sites] = codes
        observed = {n: exact.states(full)[n] for n in taken}
        try:
            got = np.asarray(p.free_energy(params, observed))
        except pgmc.IntractableError:
            if all(sum(g not in taken for g in gs) < 2 for gs, _, _ in terms):  # the rest is independent: no excuse
                err[f"F({','.join(taken)}) refused"] = 1.0
            continue
        err[f"F({','.join(taken)})"] = np.abs(got - exact.free_energy(sites)).max() / (1 + np.abs(exact.E).max())

    stats = {}
    for groups, param, mask in terms:
        phi = [o.features(state[g], spec[g][1]) for g in groups]
        ix = "ijk"[: len(groups)]
        stats[param] = -1.0 * mask * np.einsum(",".join("b" + c for c in ix) + f"->{ix}", *phi) / len(exact.E)
    grad = p.energy_gradient(params, state)
    for groups, param, mask in terms:
        err[f"dE/d{param}"] = np.abs(np.asarray(grad[param]).reshape(mask.shape) * mask - stats[param]).max()

    if samples:  # one sweep from exact starts: the law must not move, and every unit must
        start = exact.sample(rng, 50_000)
        got = p.sample(params, chains=len(start), sweeps=1, init=exact.states(start), seed=seed)
        x = {n: np.asarray(got[n])[:, -1].reshape((len(start),) + spec[n][0]) for n in spec}
        end = np.concatenate([np.searchsorted(spec[n][1], x[n].reshape(len(start), -1)) for n in spec], 1)
        if np.sort(exact.p)[:-1].sum() > 1e-3:
            hits = np.bincount(exact.index(end), minlength=exact.S)
            err["invariance"] = float(o.chi2_test(hits, exact.p) < 1e-9)
        for k in range(exact.n):
            if exact.p @ (1 - (exact.conditional(k)[0] ** 2).sum(1)) > 1e-3:
                err[f"site {k} never moves"] = float((start[:, k] == end[:, k]).all())
    return err


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--seeds", default="0:40")
    a.add_argument("--max-states", type=int, default=128)
    a.add_argument("--samples", action="store_true")
    a.add_argument("--tol", type=float, default=1e-10)
    args = a.parse_args()
    lo, hi = map(int, args.seeds.split(":"))
    bad, worst, n = 0, 0.0, 0
    for seed in range(lo, hi):
        n += 1
        try:
            err = check(seed, args.max_states, args.samples)
        except Exception as e:  # a crash is a failure of that seed
            bad += 1
            print(f"seed {seed}: {type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}")
            if hi - lo == 1:
                traceback.print_exc()
            continue
        wrong = {k: float(v) for k, v in err.items() if not v <= args.tol}
        worst = max([worst, *map(float, err.values())])
        if wrong:
            bad += 1
            print(f"seed {seed}: " + ", ".join(f"{k} off by {v:.2g}" for k, v in wrong.items()))
    print(f"{n - bad} passed, {bad} failed (largest error {worst:.2g})")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
