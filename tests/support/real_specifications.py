"""Specifications with real units at a small size, and their energies written down a second time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class RealSpecification:
    """A small instance of a file of models/, the family of each variable, and its energy."""

    name: str
    sizes: Mapping[str, int]
    families: Mapping[str, str]
    energy: Callable[[Arrays, Arrays], Any]


def gaussian_rbm(x: Arrays, t: Arrays) -> Any:
    v, h = x["v"], x["h"]
    squares = 0.5 * (v**2 * t["beta"]).sum(axis=1)
    return squares - np.einsum("ni,i,ij,nj->n", v, t["beta"], t["W"], h) - v @ t["a"] - h @ t["b"]


def mcrbm(x: Arrays, t: Arrays) -> Any:
    v, means, covariances = x["x"], x["h_m"], x["h_c"]
    linear = np.einsum("ni,ij,nj->n", v, t["W"], means) + means @ t["b_m"] + covariances @ t["b_c"]
    return 0.5 * (v**2).sum(axis=1) - linear + 0.5 * ((v @ t["R"]) ** 2 * covariances).sum(axis=1)


def ssrbm(z: Arrays, t: Arrays) -> Any:
    x, s, h = z["x"], z["s"], z["h"]
    found = -np.einsum("ni,ij,nj,nj->n", x, t["W"], s, h) + 0.5 * (x**2 * t["Lambda"]).sum(axis=1)
    found += 0.5 * np.einsum("ni,ij,nj->n", x**2, t["Phi"], h) + 0.5 * (t["alpha"] * s**2).sum(axis=1)
    return found - (s * h) @ (t["alpha"] * t["mu"]) - h @ t["b"] + h @ (t["alpha"] * t["mu"] ** 2)


def mpot(z: Arrays, t: Arrays) -> Any:
    x, means, h = z["x"], z["h_m"], z["h_c"]
    linear = np.einsum("ni,ij,nj->n", x, t["W"], means) + means @ t["b_m"]
    gammas = (h * (1 + (x @ t["R"]) ** 2 / 2) - 0.5 * np.log(h)).sum(axis=1)
    return 0.5 * (x**2).sum(axis=1) - linear + gammas


def rectified_rbm(z: Arrays, t: Arrays) -> Any:
    v, h = z["v"], z["h"]
    squares = 0.5 * (v**2 * t["beta"]).sum(axis=1) + 0.5 * (h**2).sum(axis=1)
    return squares - np.einsum("ni,ij,nj->n", v, t["W"], h) - v @ t["a"] - h @ t["b"]


def variational_autoencoder(y: Arrays, t: Arrays) -> Any:
    x, z = y["x"], y["z"]
    logits = np.tanh(z @ t["V"].T + t["c"]) @ t["U"].T + t["b"]
    prior = 0.5 * (z**2).sum(axis=1) + 0.5 * z.shape[1] * np.log(2 * np.pi)
    return prior + (np.logaddexp(0, logits) - x * logits).sum(axis=1)


def scalar_field(y: Arrays, t: Arrays) -> Any:
    phi = y["phi"]
    wells = (phi**2 + t["well"] * (phi**2 - 1) ** 2).sum(axis=(1, 2))
    return wells - 2 * t["kappa"] * sum((phi * np.roll(phi, -1, axis=k)).sum(axis=(1, 2)) for k in (1, 2))


REAL_SPECIFICATIONS = (
    RealSpecification("gaussian_rbm", {"visible": 4, "hidden": 3}, {"v": "Normal", "h": "Bernoulli"}, gaussian_rbm),
    RealSpecification(
        "mcrbm",
        {"visible": 4, "means": 2, "covariances": 3},
        {"x": "Normal", "h_m": "Bernoulli", "h_c": "Bernoulli"},
        mcrbm,
    ),
    RealSpecification(
        "mpot", {"visible": 3, "means": 2, "covariances": 2}, {"x": "Normal", "h_m": "Bernoulli", "h_c": "Gamma"}, mpot
    ),
    RealSpecification(
        "rectified_rbm", {"visible": 3, "hidden": 2}, {"v": "Normal", "h": "TruncatedNormal"}, rectified_rbm
    ),
    RealSpecification("scalar_field", {"rows": 4, "columns": 3}, {"phi": "Generic"}, scalar_field),
    RealSpecification("ssrbm", {"visible": 3, "hidden": 2}, {"x": "Normal", "s": "Normal", "h": "Bernoulli"}, ssrbm),
    RealSpecification(
        "variational_autoencoder",
        {"visible": 4, "hidden": 3, "code": 2},
        {"x": "Bernoulli", "z": "Generic"},
        variational_autoencoder,
    ),
)
