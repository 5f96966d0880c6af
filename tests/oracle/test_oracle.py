"""Self-tests of oracle.py: closed forms, identities, calibration under the null, power on mutants."""

import math
from itertools import product

import numpy as np
import pytest

import oracle as o

try:
    from scipy import stats
except ImportError:
    stats = None

RNG = lambda s=0: np.random.default_rng(s)
MODELS = [o.random_model(RNG(s), 128) for s in range(60)]


def stationary(P):
    A = np.vstack([P.T - np.eye(len(P)), np.ones(len(P))])
    return np.linalg.lstsq(A, np.r_[np.zeros(len(P)), 1.0], rcond=None)[0]


def build(s):
    spec, terms, theta = MODELS[s]
    f = o.energy_of(spec, terms)
    return o.Exact(spec, lambda x: f(x, theta)), f


def colour(model):
    """Greedy blocks of mutually independent sites, found from the exact distribution's energy table."""

    def interact(i, j):
        e = model.E
        num, k = model._sub([s for s in range(model.n) if s not in (i, j)])
        tab = e[np.argsort(num, kind="stable")].reshape(k, *[model.card[s] for s in sorted((i, j))])
        d = tab[:, 1:, :] - tab[:, :1, :]
        return np.abs(d[:, :, 1:] - d[:, :, :1]).max() > 1e-12

    blocks = []
    for i in range(model.n):
        for b in blocks:
            if not any(interact(i, j) for j in b):
                b.append(i)
                break
        else:
            blocks.append([i])
    return blocks


# ---- closed forms ---------------------------------------------------------------------------------
def test_independent_spins_and_unbatched():
    h = np.array([0.3, -1.2, 2.0])
    m = o.Exact({"s": ((3,), (-1, 1))}, lambda x: -x["s"] @ h)
    assert m.log_z == pytest.approx(np.sum(np.log(2 * np.cosh(h))), abs=1e-13)
    assert [q[1] for q in m.marginals()] == pytest.approx(1 / (1 + np.exp(-2 * h)), abs=1e-14)
    u = o.Exact({"s": ((3,), (-1, 1))}, lambda x: -float(x["s"] @ h), batched=False)
    assert np.allclose(u.E, m.E, atol=0)


def test_ising_ring_transfer_matrix():
    n, J, h = 12, 0.7, 0.2

    def energy(x):
        s = x["s"]
        return -J * np.sum(s * np.roll(s, 1, axis=1), 1) - h * s.sum(1)

    T = np.array([[np.exp(J * a * b + h * (a + b) / 2) for b in (-1, 1)] for a in (-1, 1)])
    m = o.Exact({"s": ((n,), (-1, 1))}, energy)
    assert m.log_z == pytest.approx(np.log(np.trace(np.linalg.matrix_power(T, n))), abs=1e-12)


def test_rbm_free_energy():
    r = RNG(1)
    W, a, b = r.normal(size=(4, 3)), r.normal(size=4), r.normal(size=3)
    m = o.Exact(
        {"v": ((4,), (0, 1)), "h": ((3,), (0, 1))},
        lambda x: -np.einsum("bi,ij,bj->b", x["v"], W, x["h"]) - x["v"] @ a - x["h"] @ b,
    )
    v = np.array(list(product((0, 1), repeat=4)))
    assert np.allclose(m.free_energy(range(4)), -v @ a - np.logaddexp(0, v @ W + b).sum(1), atol=1e-12)
    assert np.allclose(m.conditional(4)[0][:, 1], 1 / (1 + np.exp(-(m.codes[:, :4] @ W[:, 0] + b[0]))), atol=1e-14)


def test_potts_pair():
    m = o.Exact({"c": ((2,), (0, 1, 2))}, lambda x: -1.5 * (x["c"][:, 0] == x["c"][:, 1]))
    assert m.log_z == pytest.approx(np.log(3 * np.exp(1.5) + 6), abs=1e-14)
    assert m.joint([0, 1])[1, 1] == pytest.approx(np.exp(1.5) / (3 * np.exp(1.5) + 6))


def test_extreme_energies_and_refusals():
    m = o.Exact({"x": ((2,), (0, 1))}, lambda x: 1e5 * x["x"].sum(1) - 7e5)
    assert m.log_z == pytest.approx(7e5) and np.isfinite(m.p).all()
    for bad in (np.nan, -np.inf):
        with pytest.raises(ValueError):
            o.Exact({"x": ((), (0, 1))}, lambda x: np.where(x["x"] > 0, bad, 0.0))
    with pytest.raises(ValueError):
        o.Exact({"x": ((17,), (0, 1))}, lambda x: x["x"].sum(1))
    with pytest.raises(ValueError):
        o.Exact({"x": ((2,), (0, 1))}, lambda x: x["x"])


# ---- identities over random models ----------------------------------------------------------------
@pytest.mark.parametrize("s", range(60))
def test_identities(s):
    m, _ = build(s)
    assert abs(m.p.sum() - 1) < 1e-12 and abs(m.index(m.codes) - np.arange(m.S)).max() == 0
    for i in range(m.n):  # conditionals against the definition, by direct summation
        pr, idx = m.conditional(i)
        assert np.allclose(pr, m.p[idx] / m.p[idx].sum(1, keepdims=True), atol=1e-12)
        assert np.allclose(pr @ np.ones(m.card[i]), 1, atol=1e-13)
        zs = [m.clamp({i: c}).log_z for c in range(m.card[i])]
        assert abs(o.lse(np.array(zs)) - m.log_z) < 1e-11
        assert np.allclose(m.joint([i]), np.exp(np.array(zs) - m.log_z), atol=1e-12)
    for (i, j), t in m.pairs().items():
        assert np.allclose(t.sum(1), m.joint([i]), atol=1e-12) and np.allclose(t.T, m.joint([j, i]), atol=1e-14)
    c = m.clamp({0: 1})
    if m.n > 1:
        assert np.allclose(c.joint([1]), m.joint([0, 1])[1] / m.joint([0])[1], atol=1e-12)
    vis = list(range(0, m.n, 2))
    assert np.allclose(np.exp(-m.free_energy(vis) - m.log_z), m.joint(vis).ravel(), atol=1e-12)
    q = m.marginals()
    assert m.elbo(q) <= m.log_z + 1e-12
    assert m.elbo([np.ones(k) / k for k in m.card]) <= m.log_z + 1e-12


@pytest.mark.parametrize("s", range(0, 60, 2))
def test_kernels(s):
    m, _ = build(s)
    P = m.sweep([[i] for i in range(m.n)])
    e = m.check(P)
    assert e["row"] < 1e-12 and e["min"] >= 0 and e["invariance"] < 1e-13 and e["irreducible"]
    assert m.check(m.kernel([0]))["balance"] < 1e-14
    back = m.sweep([[i] for i in reversed(range(m.n))])
    assert np.abs(m.reverse(P) - back).max() < 1e-10
    half = [[i] for i in range(m.n)] + [[i] for i in reversed(range(m.n))]
    assert m.check(m.sweep(half))["balance"] < 1e-14  # a palindromic scan is reversible
    blocks = colour(m)
    B = m.sweep(blocks)
    assert m.check(B)["invariance"] < 1e-13
    assert np.abs(B - m.sweep(blocks, parallel=False)).max() < 1e-12
    d = RNG(s).dirichlet(np.ones(m.S))
    after = d
    for i in range(m.n):
        after = m.push(after, [i])
    assert np.allclose(after, d @ P, atol=1e-13)  # blocks[0] acts first
    for b in blocks[:2]:
        assert np.allclose(m.push(d, b), d @ m.kernel(b), atol=1e-13)
    assert np.abs(stationary(P) - m.p).max() < 1e-8


def test_parallel_update_of_neighbours_is_caught():
    m = o.Exact({"s": ((4,), (-1, 1))}, lambda x: -0.5 * (x["s"][:, :-1] * x["s"][:, 1:]).sum(1))
    assert m.check(m.sweep([[0, 1, 2, 3]]))["invariance"] > 1e-3
    assert m.check(m.sweep([[0, 2], [1, 3]]))["invariance"] < 1e-15
    assert m.check(m.sweep([[0, 1], [2, 3]], parallel=False))["invariance"] < 1e-15


def test_hard_constraint_is_reported_reducible():
    m = o.Exact({"x": ((2,), (0, 1))}, lambda x: np.where(x["x"][:, 0] == x["x"][:, 1], 0.0, np.inf))
    assert not m.check(m.sweep([[0], [1]]))["irreducible"]
    assert m.check(m.sweep([[0, 1]], parallel=False))["irreducible"]


@pytest.mark.parametrize("s", range(0, 60, 3))
def test_gradients_agree(s):
    spec, terms, theta = MODELS[s]
    if not terms:
        return
    m, f = build(s)
    vis = list(range(0, m.n, 2))
    rows = m.sample(RNG(s), 5)[:, vis]
    a, b = o.grad_fd(spec, f, theta, vis, rows), o.grad_expect(spec, f, theta, vis, rows)
    for k in theta:
        assert a[k].shape == theta[k].shape and np.abs(a[k] - b[k]).max() < 1e-8
    full = m.sample(RNG(s), 5)  # all visible: gradient of a bias is data mean - model mean
    g = o.grad_expect(spec, f, theta, range(m.n), full)
    for groups, param, mask in terms:
        if len(groups) == 1:
            phi = lambda c: o.features(m.states(c)[groups[0]], spec[groups[0]][1])
            assert np.allclose(g[param], mask * (phi(full).mean(0) - m.p @ phi(m.codes)), atol=1e-9)


def test_ais_sandwich():
    spec, terms, theta = MODELS[4]
    f = o.energy_of(spec, terms)
    gaps = []
    for K in (2, 8, 64):
        ms = [o.Exact(spec, lambda x, t=t: t * f(x, theta)) for t in np.linspace(0, 1, K + 1)]
        ks = [m.sweep([[i] for i in range(m.n)]) for m in ms]
        lo, truth, hi = o.ais_expected_logw(ms, ks)
        assert lo <= truth + 1e-12 and truth <= hi + 1e-12
        gaps.append(hi - lo)
    assert gaps[0] > gaps[1] > gaps[2] and gaps[2] < 0.1 * gaps[0]


def test_ais_against_path_enumeration():
    """E[w] = Z_K/Z_0, and the reverse path law is the forward one weighted by w: checked path by path."""
    ms = [
        o.Exact({"x": ((2,), (0, 1))}, lambda x, t=t: -t * (2 * x["x"][:, 0] * x["x"][:, 1] - x["x"][:, 0]))
        for t in (0.0, 0.4, 1.0)
    ]
    ks = [m.sweep([[0], [1]]) for m in ms]
    ew = fwd = rev = 0.0
    for a, b, c in product(range(4), repeat=3):
        prob = ms[0].p[a] * ks[1][a, b] * ks[2][b, c]
        lw = ms[0].E[a] - ms[1].E[a] + ms[1].E[b] - ms[2].E[b]
        ew, fwd, rev = ew + prob * np.exp(lw), fwd + prob * lw, rev + prob * np.exp(lw) * lw
    lo, truth, hi = o.ais_expected_logw(ms, ks)
    assert np.log(ew) == pytest.approx(truth, abs=1e-13)
    assert lo == pytest.approx(fwd, abs=1e-13) and hi == pytest.approx(rev / ew, abs=1e-13)


def test_elbo():
    h = np.array([0.3, -1.0])
    m = o.Exact({"s": ((2,), (-1, 1))}, lambda x: -x["s"] @ h)
    assert m.elbo(m.marginals()) == pytest.approx(m.log_z, abs=1e-14)  # tight when sites are independent
    half = [np.array([0.5, 0.5])] * 2
    assert m.elbo(half) == pytest.approx(2 * np.log(2), abs=1e-14)
    assert m.elbo([[1, 0], [0, 1]]) == pytest.approx(-h[0] + h[1], abs=1e-14)


# ---- the tests themselves: p-values, calibration, power -------------------------------------------
@pytest.mark.skipif(stats is None, reason="scipy absent")
def test_chi2_sf_against_scipy():
    for df, x in product((1, 2, 7, 40, 1000), (1e-3, 0.5, 3, 30, 90, 900, 1200)):
        assert o.chi2_sf(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-8, abs=1e-15)


def test_chi2_sf_known():
    assert o.chi2_sf(2.0, 2) == pytest.approx(math.exp(-1), rel=1e-13)
    assert o.chi2_sf(60.0, 2) == pytest.approx(math.exp(-30), rel=1e-12)


def chain(m, P, starts, N, rng):
    """M chains of N states under matrix P."""
    c, s, out = np.cumsum(P, 1), starts, []
    for _ in range(N):
        s = np.minimum((rng.random(len(s))[:, None] > c[s]).sum(1), m.S - 1)
        out.append(s)
    return np.array(out).T


def test_chi2_false_alarms_far_in_the_tail():
    """Rate of p < 1e-3 within 30 % of nominal, also with rare cells (Pearson's is 50 % high here)."""
    r, R, hits = RNG(2), 20000, 0
    for p, n in (([0.995, 0.005], 2400), (np.exp(-np.arange(16) / 2), 5000)):
        p = np.array(p) / np.sum(p)
        hits += sum(o.chi2_test(c, p) < 1e-3 for c in r.multinomial(n, p, R))
    assert 0.6 < hits / (2 * R) / 1e-3 < 1.4


def test_calibration_under_the_null():
    """With a correct kernel every test rejects at its nominal rate (exact binomial bounds at 1e-6)."""
    m, _ = build(next(s for s in range(60) if build(s)[0].S in range(12, 40)))
    P = m.sweep([[i] for i in range(m.n)])
    r, R, alpha, f = RNG(3), 600, 0.05, (m.codes[:, 0] > 0).astype(float)
    av, hits = m.asymptotic_variance(P, f), np.zeros(4)
    for _ in range(R):
        start = r.choice(m.S, 2000, p=m.p)
        end = chain(m, P, start, 1, r)[:, 0]
        hits[0] += o.chi2_test(np.bincount(end, minlength=m.S), m.p) < alpha
        hits[1] += o.transition_test(m, P, m.codes[start], m.codes[end]) < alpha
        x = f[chain(m, P, r.choice(m.S, 20, p=m.p), 200, r)]
        hits[2] += o.mean_test(x, f @ m.p, av) < alpha
        hits[3] += o.mean_test(x, f @ m.p) < alpha
    assert hits[0] / R < 0.10 and hits[1] / R < 0.10  # transition_test is Bonferroni: conservative
    assert 0.015 < hits[2] / R < 0.10 and hits[3] / R < 0.12, hits / R


def test_known_p_values():
    g = 2 * (5200 * math.log(1.04) + 4800 * math.log(0.96)) / (1 + (4 - 1) / 60000)
    assert o.chi2_test([5200, 4800], [1, 1]) == pytest.approx(o.chi2_sf(g, 1), rel=1e-12)
    assert o.chi2_test([5200, 4800], [1, 1], n_eff=100) == pytest.approx(o.chi2_sf(g / 100, 1), rel=2e-2)
    assert o.mean_test(np.r_[np.zeros(50), np.ones(50)], 0.6, 0.25) == pytest.approx(math.erfc(2 / math.sqrt(2)))
    assert o.mean_test(np.ones(9), 1.0) == 1.0 and o.mean_test(np.ones(9), 0.9) == 0.0


def test_ess_of_known_chain():
    for rho in (0.0, 0.5, 0.9):
        r = RNG(7)
        x = np.zeros((40, 5000))
        e = r.normal(size=x.shape)
        for t in range(1, 5000):
            x[:, t] = rho * x[:, t - 1] + math.sqrt(1 - rho**2) * e[:, t]
        assert o.ess(x) == pytest.approx(x.size * (1 - rho) / (1 + rho), rel=0.1)


def test_asymptotic_variance():
    p, q = 0.2, 0.3  # two-state chain: pi = (.6, .4), lag-k correlation (1-p-q)^k
    m = o.Exact({"x": ((), (0, 1))}, lambda x: np.where(x["x"] > 0, -math.log(0.4), -math.log(0.6)))
    P = np.array([[1 - p, p], [q, 1 - q]])
    lam = 1 - p - q
    assert m.check(P)["invariance"] < 1e-15
    assert m.asymptotic_variance(P, [0, 1]) == pytest.approx(0.24 * (1 + lam) / (1 - lam), rel=1e-12)


def test_power_on_mutants():
    """Wrong kernels are rejected at 1e-6 by one step from exact starts."""
    m = o.Exact(
        {"s": ((3, 2), (-1, 1))},
        lambda x: (
            -0.4 * (x["s"].reshape(-1, 6)[:, :-1] * x["s"].reshape(-1, 6)[:, 1:]).sum(1) - 0.3 * x["s"].sum((1, 2))
        ),
    )
    hot = o.Exact(m.spec, lambda x: 0.8 * m.E)
    good = [[0], [1], [2], [3], [4], [5]]
    P = m.sweep(good)
    mutants = {
        "identity": np.eye(m.S),
        "temperature": hot.sweep(good),
        "neighbours at once": m.sweep([[0, 1, 2, 3, 4, 5]]),
        "last site never updated": m.sweep(good[:-1]),
    }
    r, N = RNG(11), 100_000
    start = r.choice(m.S, N, p=m.p)
    run = lambda K: chain(m, K, start, 1, r)[:, 0]
    assert o.transition_test(m, P, m.codes[start], m.codes[run(P)]) > 1e-6
    for name, K in mutants.items():
        assert o.transition_test(m, P, m.codes[start], m.codes[run(K)]) < 1e-6, name
    # an invariance test alone is blind to kernels that leave the target invariant but move too little
    assert o.chi2_test(np.bincount(run(mutants["identity"]), minlength=m.S), m.p) > 1e-6
    assert o.chi2_test(np.bincount(run(mutants["temperature"]), minlength=m.S), m.p) < 1e-6
    assert o.chi2_test([0, 50, 50], [0.0, 0.5, 0.5]) > 0.5 and o.chi2_test([1, 50, 50], [0.0, 0.5, 0.5]) == 0
    assert o.chi2_test([0, 7], [0.0, 1.0]) == 1.0
    with pytest.raises(ValueError):
        o.chi2_test([5, 5], [0.5, 0.5])


def test_min_detectable_is_honest():
    n, p, r = 20000, 0.3, RNG(5)
    d = o.min_detectable(p, n, 1e-3, 1e-2)
    miss = sum(o.chi2_test([k, n - k], [p, 1 - p]) > 1e-3 for k in r.binomial(n, p + d, 2000))
    assert miss / 2000 < 0.02


def test_thresholds_recover_probabilities():
    q = RNG(9).dirichlet(np.ones(4), size=(5, 2))
    c = np.cumsum(q, -1)
    got = o.thresholds(lambda u: (u[..., None] >= c[..., :-1]).sum(-1), (5, 2), 4)
    assert np.abs(np.moveaxis(got, 0, -1) - c[..., :-1]).max() < 1e-15


def test_generator_covers_the_features():
    seen = set()
    for s in range(300):
        spec, terms, theta = o.random_model(RNG(s), 256)
        m = o.Exact(spec, lambda x: o.energy_of(spec, terms)(x, theta))
        assert 2 <= m.S <= 256 and set(theta) == {t[1] for t in terms}
        seen |= {("domain", v) for _, v in spec.values()} | {("rank", len(sh)) for sh, _ in spec.values()}
        seen |= {("order", len(g), len(set(g))) for g, _, _ in terms} | {
            ("sparse", mk.mean() < 0.5) for _, _, mk in terms
        }
        seen |= {("empty", not terms)}
        for g, _, mk in terms:  # no product of a site with itself
            ids = np.meshgrid(
                *[np.arange(d) // (1 if len(spec[n][1]) == 2 else len(spec[n][1])) for n, d in zip(g, mk.shape)],
                indexing="ij",
            )
            assert not any((mk & (ids[u] == ids[v])).any() for u in range(len(g)) for v in range(u) if g[u] == g[v])
    want = {("order", k, d) for k in (1, 2, 3) for d in range(1, k + 1)} | {
        ("domain", (0, 1, 2, 3)),
        ("domain", (-1, 1)),
        ("rank", 0),
        ("rank", 2),
        ("sparse", True),
        ("empty", True),
    }
    assert want <= seen, want - seen
    a, b = o.random_model(RNG(5)), o.random_model(RNG(5))
    assert all(np.array_equal(a[2][k], b[2][k]) for k in a[2])


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-q"]))
