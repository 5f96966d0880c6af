"""Exact oracle for small discrete energy models, by brute-force enumeration (numpy only).

A model is a `spec` {name: (shape, values)}, e.g. {"v": ((3,), (0, 1)), "s": ((2, 2), (-1, 1)), "c": ((), (0, 1, 2))},
and `energy(x)`: x maps each name to an array (B, *shape) of *values*; it returns (B,) energies, p(x) ~ exp(-energy).
batched=False takes an energy of one state returning a float.  +inf forbids a state; NaN and -inf are refused.
A *site* is one scalar unit, numbered in spec order, then C order.  `codes` (S, n) holds, for every joint state, the
position of each site's value in `values`; states are numbered with the last site fastest.  Kernels are
row-stochastic: dist @ P is the distribution after one step.
"""

import math
from itertools import combinations, combinations_with_replacement
from statistics import NormalDist

import numpy as np

MAX_STATES, MAX_DENSE = 1 << 16, 1 << 12


def lse(a):
    """log sum exp over the last axis; -inf for an empty or impossible row."""
    m = np.max(a, axis=-1, keepdims=True)
    m = np.where(np.isfinite(m), m, 0.0)
    with np.errstate(divide="ignore"):
        return m[..., 0] + np.log(np.sum(np.exp(a - m), axis=-1))


class Exact:
    def __init__(self, spec, energy, batched=True):
        self.spec = {n: (tuple(s), tuple(v)) for n, (s, v) in spec.items()}
        self.sites = [(n, i) for n, (s, _) in self.spec.items() for i in np.ndindex(*s)]
        self.card = [len(self.spec[n][1]) for n, _ in self.sites]
        self.n, self.S = len(self.card), math.prod(self.card)
        if self.S > MAX_STATES:
            raise ValueError(f"{self.S} states exceed {MAX_STATES}")
        self.stride = [math.prod(self.card[i + 1 :]) for i in range(self.n)]
        every = np.arange(self.S)
        self.codes = np.stack([every // st % k for st, k in zip(self.stride, self.card)], axis=1)
        x = self.states()
        e = energy(x) if batched else [energy({k: a[s] for k, a in x.items()}) for s in range(self.S)]
        self._set(np.asarray(e, float))

    def _set(self, e):
        if e.shape != (self.S,):
            raise ValueError(f"energy must return shape ({self.S},), got {e.shape}")
        if np.isnan(e).any() or (e == -np.inf).any() or not np.isfinite(e).any():
            raise ValueError("energy is NaN, -inf, or +inf everywhere")
        self.E, self.log_z = e, float(lse(-e))
        self.p = np.exp(-e - self.log_z)

    def clamp(self, assign):
        """The model conditioned on {site: code}: same sites, other states forbidden.  Its log_z is the
        log of the clamped sum, so log p(assign) = clamp(assign).log_z - log_z."""
        m = object.__new__(Exact)
        m.__dict__.update(self.__dict__)
        ok = np.all([self.codes[:, i] == c for i, c in assign.items()], axis=0)
        m._set(np.where(ok, self.E, np.inf))
        return m

    def states(self, codes=None):
        """{name: (B, *shape) values} for code rows (default: every state)."""
        codes = self.codes if codes is None else np.asarray(codes)
        out, j = {}, 0
        for name, (shape, vals) in self.spec.items():
            m = math.prod(shape)
            out[name] = np.array(vals)[codes[:, j : j + m]].reshape((len(codes),) + shape)
            j += m
        return out

    def index(self, codes, sites=None):
        """Mixed-radix number (first site slowest) of code rows, over all or the given sites' columns."""
        sites = range(self.n) if sites is None else sites
        num = np.zeros(len(codes), np.int64)
        for c, i in enumerate(sites):
            num = num * self.card[i] + np.asarray(codes)[:, c]
        return num

    def _sub(self, sites):
        return self.index(self.codes[:, sites], sites), math.prod(self.card[i] for i in sites)

    def joint(self, sites):
        num, k = self._sub(sites)
        return np.bincount(num, self.p, k).reshape([self.card[i] for i in sites])

    def marginals(self):
        return [self.joint([i]) for i in range(self.n)]

    def pairs(self):
        return {ij: self.joint(list(ij)) for ij in combinations(range(self.n), 2)}

    def expect(self, f):
        """E[f]; f is an (S, ...) array or a function of the batched states."""
        return np.tensordot(self.p, np.asarray(f(self.states()) if callable(f) else f, float), 1)

    def conditional(self, sites):
        """(prob, idx), both (S, K): K joint values c of `sites`, p(sites = c | the rest as in state s) and
        the number of the state so reached.  Rows whose rest is impossible are uniform."""
        idx = np.arange(self.S)[:, None]
        for i in np.atleast_1d(sites):
            step = (np.arange(self.card[i]) - self.codes[:, i, None]) * self.stride[i]
            idx = (idx[:, :, None] + step[:, None, :]).reshape(self.S, -1)
        le = -self.E[idx]
        z = lse(le)[:, None]
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(z), np.exp(le - z), 1.0 / idx.shape[1]), idx

    def free_energy(self, visible):
        """-log sum_hidden exp(-E) for every joint value of the visible sites (mixed radix)."""
        num, k = self._sub(visible)
        return -lse(-self.E[np.argsort(num, kind="stable")].reshape(k, -1))

    def log_lik(self, visible, rows):
        """log p(visible codes) for each row."""
        return -self.free_energy(visible)[self.index(rows, visible)] - self.log_z

    def sample(self, rng, size):
        """i.i.d. exact draws, as code rows."""
        return self.codes[rng.choice(self.S, size=size, p=self.p / self.p.sum())]

    def elbo(self, q):
        """Exact ELBO of a factorised q, one probability vector per site: never exceeds log_z."""
        qs = np.prod([np.asarray(q[i])[self.codes[:, i]] for i in range(self.n)], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.sum(np.where(qs > 0, qs * (-self.E - np.log(qs)), 0.0)))

    def push(self, dist, sites):
        """Distribution after one exact block update of `sites`, without a matrix (any S)."""
        cond, idx = self.conditional(sites)
        return dist[idx].sum(1) * cond[idx == np.arange(self.S)[:, None]]

    def kernel(self, sites, parallel=False):
        """S x S matrix of one block update: the joint block conditional or, with parallel=True, every site
        drawn from its own conditional given the OLD state (what a vectorised kernel does; the two agree
        only if the sites do not interact)."""
        if self.S > MAX_DENSE:
            raise ValueError(f"dense kernel limited to {MAX_DENSE} states; use push()")
        pr, idx = self.conditional(sites)
        if parallel:
            pr = np.ones((self.S, 1))
            for i in np.atleast_1d(sites):
                pr = (pr[:, :, None] * self.conditional(i)[0][:, None, :]).reshape(self.S, -1)
        P = np.zeros((self.S, self.S))
        np.put_along_axis(P, idx, pr, axis=1)
        return P

    def sweep(self, blocks, parallel=True):
        """Transition matrix of one sweep, blocks[0] first."""
        P = np.eye(self.S)
        for b in blocks:
            P = P @ self.kernel(b, parallel)
        return P

    def check(self, P):
        """Errors of P against the exact target; irreducible is over the states of positive probability."""
        flow, on = self.p[:, None] * P, self.p > 0
        A = (P[np.ix_(on, on)] > 0) | np.eye(on.sum(), dtype=bool)
        for _ in range(int(on.sum()).bit_length()):
            A = (A.astype(np.float32) @ A.astype(np.float32)) > 0
        return {
            "row": float(np.abs(P.sum(1) - 1).max()),
            "min": float(P.min()),
            "invariance": float(np.abs(self.p @ P - self.p).max()),
            "balance": float(np.abs(flow - flow.T).max()),
            "irreducible": bool(A.all()),
        }

    def reverse(self, P):
        """Time reversal of P under the target: for a sweep, the sweep with its blocks in reverse order."""
        return (P * self.p[:, None]).T / self.p[:, None]

    def asymptotic_variance(self, P, f):
        """lim N Var(mean of f over N steps of P), exactly: a z-test that needs no ESS estimate."""
        f = np.asarray(f, float) - self.expect(f)
        g = np.linalg.solve(np.eye(self.S) - P + self.p, f)
        return float(2 * self.p @ (f * g) - self.p @ (f * f))


def ais_expected_logw(models, kernels):
    """Exact (E[log w] of forward AIS from models[0], log Z_K - log Z_0, E[log w] of reverse AIS started
    from exact draws of models[-1]); kernels[k] leaves models[k] invariant, kernels[0] is unused."""
    fwd, rev, mu, nu = 0.0, 0.0, models[0].p, models[-1].p
    for k in range(1, len(models)):
        fwd += mu @ (models[k - 1].E - models[k].E)
        mu = mu @ kernels[k]
    for k in range(len(models) - 1, 0, -1):
        nu = nu @ models[k].reverse(kernels[k])
        rev += nu @ (models[k - 1].E - models[k].E)
    return float(fwd), models[-1].log_z - models[0].log_z, float(rev)


# -- gradients of the mean log-likelihood; energy(x, theta), theta = {name: array} ------------------
def _central(f, theta, h):
    """{name: theta.shape + f.shape}: 4th-order central differences of an array-valued f."""

    def at(k, i, d):
        t = {n: np.array(a, float) for n, a in theta.items()}
        t[k][i] += d
        return np.asarray(f(t))

    return {
        k: np.array(
            [
                (8 * (at(k, i, h) - at(k, i, -h)) - at(k, i, 2 * h) + at(k, i, -2 * h)) / (12 * h)
                for i in np.ndindex(*np.shape(a))
            ]
        ).reshape(np.shape(a) + np.shape(f(theta)))
        for k, a in theta.items()
    }


def grad_fd(spec, energy, theta, visible, rows, h=1e-3):
    """d/dtheta mean log p(visible = row), by finite differences of the exact log-likelihood."""
    return _central(lambda t: np.mean(Exact(spec, lambda x: energy(x, t)).log_lik(visible, rows)), theta, h)


def grad_expect(spec, energy, theta, visible, rows, h=1e-3):
    """The same gradient as E_model[dE/dtheta] - mean_row E[dE/dtheta | visible = row]."""
    m = Exact(spec, lambda x: energy(x, theta))
    x = m.states()
    num, k = m._sub(visible)
    data = np.bincount(m.index(rows, visible), minlength=k) / len(rows)
    posterior = np.exp(-m.E + m.free_energy(visible)[num])  # p(hidden | visible) in every state
    diff = m.p - data[num] * posterior
    return {n: d @ diff for n, d in _central(lambda t: energy(x, t), theta, h).items()}


# -- tests: each returns a p-value, meaningful at extreme levels -------------------------------------
def chi2_sf(x, df):
    """Upper tail of chi-square, by Q(a+1, y) = Q(a, y) + y^a e^-y / Gamma(a+1): no cancellation."""
    y = x / 2
    if y <= 0:
        return 1.0
    q = math.erfc(math.sqrt(y)) if df % 2 else 0.0
    return min(
        1.0,
        q + sum(math.exp(a * math.log(y) - y - math.lgamma(a + 1)) for a in np.arange(df % 2 / 2, df / 2)),
    )


def chi2_test(counts, p, n_eff=None, min_expected=10.0):
    """Likelihood-ratio chi-square test of counts against probabilities p, cells of small expectation pooled;
    Williams-corrected, hence right far in the tail where Pearson's is not.  For independent draws; for
    correlated ones n_eff scales the counts (approximate).  Refuses to pass on too few draws."""
    counts, p = np.asarray(counts, float).ravel(), np.asarray(p, float).ravel() / np.sum(p)
    if counts[p <= 0].sum() > 0:
        return 0.0  # an impossible state was visited
    n, order = n_eff or counts.sum(), np.argsort(p[p > 0])
    o, e = (counts[p > 0] / counts.sum() * n)[order], (p[p > 0] * n)[order]
    if len(e) == 1:
        return 1.0
    cut = max(int(np.searchsorted(np.cumsum(e), min_expected)) + 1, int(np.sum(e < min_expected)))
    o, e = np.r_[o[:cut].sum(), o[cut:]], np.r_[e[:cut].sum(), e[cut:]]
    if len(e) < 2:
        raise ValueError("too few draws for a test")
    g = 2 * np.sum(o * np.log(np.maximum(o, 1e-300) / e))
    return chi2_sf(float(g / (1 + (np.sum(n / e) - 1) / (6 * n * (len(e) - 1)))), len(e) - 1)


def ess(x):
    """Effective sample size of chains x (M, N), by Geyer's initial monotone positive sequence."""
    x = np.atleast_2d(np.asarray(x, float))
    M, N = x.shape
    f = np.fft.rfft(x - x.mean(), 2 * N, axis=1)
    acov = np.fft.irfft(f * f.conj(), 2 * N, axis=1)[:, : 2 * (N // 2)].mean(0) / N
    if acov[0] <= 0:
        return float(M * N)
    pair = np.minimum.accumulate((acov[0::2] + acov[1::2]) / acov[0])
    return M * N / max(2 * pair[pair > 0].sum() - 1, 1e-3)


def mean_test(x, mu, asym_var=None):
    """z-test of E[f] = mu from chains x (M, N); asym_var from Exact.asymptotic_variance when known."""
    x = np.atleast_2d(np.asarray(x, float))
    var = asym_var / x.size if asym_var is not None else x.var() / ess(x)
    if var <= 1e-300:
        return 1.0 if abs(x.mean() - mu) < 1e-12 else 0.0
    return math.erfc(abs(x.mean() - mu) / math.sqrt(2 * var))


def transition_test(model, P, start, end):
    """start, end: code rows before and after one step.  Tests the kernel row by row, so that (unlike an
    invariance test) it also rejects a kernel that never moves.  Bonferroni over the rows tested."""
    a, b, ps, seen = model.index(start), model.index(end), [], 0
    for s in np.unique(a):
        hits = np.bincount(b[a == s], minlength=model.S)
        try:
            ps.append(chi2_test(hits, P[s]))
            seen += hits.sum()
        except ValueError:
            pass
    if seen < len(a) / 2:
        raise ValueError("over half of the starts are in rows too thin to test")
    return min(1.0, min(ps) * len(ps))


def min_detectable(p, n, alpha=1e-6, beta=1e-6):
    """Smallest shift of a probability p that n independent draws reject at level alpha, but for a chance
    beta of missing it: to be stated beside every statistical test."""
    q = NormalDist().inv_cdf
    return (q(1 - alpha / 2) + q(1 - beta)) * math.sqrt(p * (1 - p) / n)


def thresholds(f, shape, k, iters=54):
    """Cumulative probabilities of an inverse-CDF sampler, to 2**-iters, by bisection on its uniform:
    f(u) -> codes, elementwise non-decreasing in u.  Returns (k-1, *shape): P(code <= j)."""
    lo, hi = np.zeros((k - 1,) + shape), np.ones((k - 1,) + shape)
    for _ in range(iters):
        for j in range(k - 1):
            mid = (lo[j] + hi[j]) / 2
            below = f(mid) <= j
            lo[j], hi[j] = np.where(below, mid, lo[j]), np.where(below, hi[j], mid)
    return (lo + hi) / 2


def features(x, values):
    """(B, d) features of a group: the values of a binary or spin group, one-hot otherwise."""
    flat = x.reshape(len(x), -1)
    if tuple(values) in ((0, 1), (-1, 1)):
        return flat.astype(float)
    return (flat[:, :, None] == np.array(values)).reshape(len(x), -1).astype(float)


def energy_of(spec, terms):
    """energy(x, theta) = - sum over terms (groups, param, mask) of <mask * theta[param], product of features>."""

    def energy(x, theta):
        phi = {n: features(x[n], spec[n][1]) for n in spec}
        e = np.zeros(len(next(iter(x.values()))))
        for groups, param, mask in terms:
            ix = "ijk"[: len(groups)]
            e = e - np.einsum(
                ",".join("b" + c for c in ix) + f",{ix}->b",
                *[phi[g] for g in groups],
                mask * np.asarray(theta[param]),
                optimize=True,
            )
        return e

    return energy


def random_model(rng, max_states=256):
    """(spec, terms, theta): 1-4 groups of binary, spin and categorical sites; biases, sparse or dense
    pairs within and between groups, third-order terms; weights from weak to strong, some exactly 0.
    Same-site products are masked out, and within a group each pair or triple of sites appears once."""
    spec, S = {}, 1
    for name in "abcd"[: rng.integers(1, 5)]:
        values = ((0, 1), (-1, 1), (0, 1, 2), (0, 1, 2, 3))[rng.choice(4, p=[0.35, 0.35, 0.2, 0.1])]
        k = len(values)
        shapes = [s for s in [(), (1,), (2,), (3,), (5,), (2, 2), (2, 3)] if S * k ** math.prod(s) <= max_states]
        if shapes:
            spec[name] = (shapes[rng.integers(len(shapes))], values)
            S *= k ** math.prod(spec[name][0])
    width = {n: 1 if len(v) == 2 else len(v) for n, (_, v) in spec.items()}
    size = {n: math.prod(s) for n, (s, _) in spec.items()}
    terms, theta = [], {}
    for order, keep in ((1, 0.85), (2, 0.7), (3, 0.3)):
        for groups in combinations_with_replacement(spec, order):
            if rng.random() > keep:
                continue
            ids = np.meshgrid(*[np.arange(size[g]) for g in groups], indexing="ij")
            mask = rng.random(ids[0].shape) < rng.choice([0.25, 0.6, 1.0])
            for u, v in combinations(range(order), 2):
                if groups[u] == groups[v]:
                    mask &= ids[u] < ids[v]
            for axis, g in enumerate(groups):
                mask = np.repeat(mask, width[g], axis)
            if mask.any() and mask.size <= 600:
                param, w = f"w{len(terms)}", rng.normal(size=mask.shape) * rng.choice([0.1, 0.5, 1.0, 2.0])
                terms.append((groups, param, mask))
                theta[param] = np.where(rng.random(mask.shape) < 0.1, 0.0, w)
    return spec, terms, theta
