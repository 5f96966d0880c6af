"""The equations of chapter 20 of *Deep Learning*, each beside what pgmc derives from the specification in models/.

The rows stand in the order of the chapter. The tests compare them; the cheat sheet of the documentation prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from formulas import boltzmann, convolutional, deep, directed, real_valued, restricted
from questions import (
    Question,
    bound,
    conditional,
    energy,
    expected_score,
    factor,
    gradient,
    guide_factor,
    log_likelihood,
    log_posterior,
    mean_field,
    minus_free_energy,
    noise_bound,
    partition,
    posterior,
    probability,
    rise_from_zero,
    weighted_bound,
)


@dataclass(frozen=True)
class Row:
    """One equation of the chapter.

    Attributes
    ----------
    numbers
        Its number, or those of the equations that it takes together; none where the chapter says it in words.
    section
        The section that it stands in.
    latex
        The equation in the letters of the chapter.
    model
        The specification of models/.
    asked
        What pgmc is asked.
    formula
        The equation in NumPy. Its arguments are variables and parameters of the specification, for one example.
    sizes
        Sizes that differ from those of ``SIZES``.
    zero
        Parameters that the chapter leaves out. They are set to zero.
    """

    numbers: tuple[str, ...]
    section: str
    latex: str
    model: str
    asked: Question
    formula: Callable[..., Any]
    sizes: Mapping[str, int] = field(default_factory=dict)
    zero: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """``20.14``, ``20.48, 20.49`` or ``section 20.6``."""
        return ", ".join(self.numbers) or f"section {self.section}"


SIZES: Mapping[str, Mapping[str, int]] = {
    "visible_boltzmann_machine": {"visible": 4},
    "boltzmann_machine": {"visible": 4, "hidden": 3},
    "rbm": {"visible": 4, "hidden": 3},
    "conditional_rbm": {"visible": 4, "hidden": 3, "inputs": 2},
    "deep_belief_net": {"visible": 4, "hidden": 3, "top": 2},
    "deep_boltzmann_machine": {"visible": 4, "hidden": 3, "top": 2, "depth": 2},
    "centred_boltzmann_machine": {"visible": 4},
    "gaussian_rbm": {"visible": 4, "hidden": 3},
    "mcrbm": {"visible": 4, "means": 2, "covariances": 3},
    "mpot": {"visible": 4, "means": 2, "covariances": 3},
    "ssrbm": {"visible": 4, "hidden": 3},
    "convolutional_rbm": {"side": 5, "maps": 2, "width": 2},
    "fully_visible_belief_net": {"visible": 5},
    "sigmoid_belief_net": {"visible": 4, "hidden": 3},
    "helmholtz_machine": {"visible": 4, "hidden": 3},
    "variational_autoencoder": {"visible": 4, "hidden": 3, "code": 1},
}
"""Sizes at which the two sides are compared. No size enters what is derived."""

BIASES = ("b", "c1", "c2")

BOLTZMANN_MACHINES = (
    Row(
        ("20.1",),
        "20.1",
        r"P(x) = \frac{\exp(-E(x))}{Z}",
        "visible_boltzmann_machine",
        probability(),
        boltzmann.probability,
    ),
    Row(("20.2",), "20.1", r"E(x) = -x^\top U x - b^\top x", "visible_boltzmann_machine", energy(), boltzmann.energy),
    Row(
        (),
        "20.1",
        r"P(x_i = 1 \mid \text{rest}) = \text{a logistic regression on the other units}",
        "visible_boltzmann_machine",
        conditional("x", "probs"),
        boltzmann.on,
    ),
    Row(
        ("20.3",),
        "20.1",
        r"E(v, h) = -v^\top R v - v^\top W h - h^\top S h - b^\top v - c^\top h",
        "boltzmann_machine",
        energy(),
        boltzmann.energy_with_hidden,
    ),
    Row(
        (),
        "20.1",
        r"\text{the gradient of a weight: the statistic } v_i h_j \text{ in both phases}",
        "boltzmann_machine",
        gradient("W"),
        boltzmann.weight_statistic,
    ),
)

RESTRICTED = (
    Row(("20.4",), "20.2", r"P(v, h) = \frac{1}{Z} \exp(-E(v, h))", "rbm", probability(), restricted.probability),
    Row(("20.5",), "20.2", r"E(v, h) = -b^\top v - c^\top h - v^\top W h", "rbm", energy(), restricted.energy),
    Row(("20.6",), "20.2", r"Z = \sum_v \sum_h \exp\{-E(v, h)\}", "rbm", partition(), restricted.partition),
    Row(
        ("20.7",),
        "20.2.1",
        r"P(h \mid v) = \frac{P(h, v)}{P(v)}",
        "rbm",
        posterior("v", shows="h"),
        restricted.posterior,
    ),
    Row(
        ("20.11",),
        "20.2.1",
        r"P(h \mid v) = \frac{1}{Z'} \prod_j \exp\{c_j h_j + v^\top W_{:,j} h_j\}",
        "rbm",
        posterior("v", shows="h"),
        restricted.posterior_by_factors,
    ),
    Row(
        ("20.13",),
        "20.2.1",
        r"P(h_j = 1 \mid v) = \frac{\exp\{c_j + v^\top W_{:,j}\}}{\exp\{0\} + \exp\{c_j + v^\top W_{:,j}\}}",
        "rbm",
        conditional("h", "probs"),
        restricted.hidden_on_as_ratio,
    ),
    Row(
        ("20.14",),
        "20.2.1",
        r"P(h_j = 1 \mid v) = \sigma(c_j + v^\top W_{:,j})",
        "rbm",
        conditional("h", "probs"),
        restricted.hidden_on,
    ),
    Row(
        ("20.15",),
        "20.2.1",
        r"P(h \mid v) = \prod_j \sigma((2h - 1) \odot (c + W^\top v))_j",
        "rbm",
        posterior("v", shows="h"),
        restricted.hidden_given_visible,
    ),
    Row(
        ("20.16",),
        "20.2.1",
        r"P(v \mid h) = \prod_i \sigma((2v - 1) \odot (b + W h))_i",
        "rbm",
        posterior("h", shows="v"),
        restricted.visible_given_hidden,
    ),
    Row(
        ("20.16",),
        "20.2.1",
        r"P(v_i = 1 \mid h) = \sigma(b + W h)_i",
        "rbm",
        conditional("v", "probs"),
        restricted.visible_on,
    ),
)

DEEP = (
    Row(
        ("20.17",),
        "20.3",
        r"P(h^{(2)}, h^{(1)}) \propto \exp(c_2^\top h^{(2)} + c_1^\top h^{(1)} + h^{(1)\top} W^{(2)} h^{(2)})",
        "deep_belief_net",
        minus_free_energy("h1", "h2"),
        deep.log_top_pair,
    ),
    Row(
        ("20.19",),
        "20.3",
        r"P(v_i = 1 \mid h^{(1)}) = \sigma(b_i + W_{:,i}^{(1)\top} h^{(1)})",
        "deep_belief_net",
        factor("v"),
        deep.belief_net_visible_on,
    ),
    Row(
        ("20.22",),
        "20.3",
        r"h^{(1)} = \sigma(b^{(1)} + v^\top W^{(1)}) \text{, of a recognition net}",
        "deep_belief_net",
        guide_factor("h1", "v"),
        deep.first_up,
    ),
    Row(
        ("20.23",),
        "20.3",
        r"h^{(2)} = \sigma(b^{(2)} + h^{(1)\top} W^{(2)}) \text{, of a recognition net}",
        "deep_belief_net",
        guide_factor("h2", "h1", "v"),
        deep.second_up,
    ),
    Row(
        ("20.24",),
        "20.4",
        r"P(v, h^{(1)}, h^{(2)}, h^{(3)}) = \frac{1}{Z} \exp(-E(v, h^{(1)}, h^{(2)}, h^{(3)}))",
        "deep_boltzmann_machine",
        probability(),
        deep.probability,
        {"visible": 2, "hidden": 2, "depth": 3},
        (*BIASES, "c3"),
    ),
    Row(
        ("20.25",),
        "20.4",
        r"E = -v^\top W^{(1)} h^{(1)} - h^{(1)\top} W^{(2)} h^{(2)} - h^{(2)\top} W^{(3)} h^{(3)}",
        "deep_boltzmann_machine",
        energy(),
        deep.energy,
        {"visible": 2, "hidden": 2, "depth": 3},
        (*BIASES, "c3"),
    ),
    Row(
        ("20.26",),
        "20.4",
        r"P(v_i = 1 \mid h^{(1)}) = \sigma(W_{i,:}^{(1)} h^{(1)})",
        "deep_boltzmann_machine",
        conditional("v", "probs"),
        deep.visible_on,
        zero=BIASES,
    ),
    Row(
        ("20.27",),
        "20.4",
        r"P(h_i^{(1)} = 1 \mid v, h^{(2)}) = \sigma(v^\top W_{:,i}^{(1)} + W_{i,:}^{(2)} h^{(2)})",
        "deep_boltzmann_machine",
        conditional("h1", "probs"),
        deep.first_on,
        zero=BIASES,
    ),
    Row(
        ("20.28",),
        "20.4",
        r"P(h_k^{(2)} = 1 \mid h^{(1)}) = \sigma(h^{(1)\top} W_{:,k}^{(2)})",
        "deep_boltzmann_machine",
        conditional("h2", "probs"),
        deep.second_on,
        zero=BIASES,
    ),
    Row(
        ("20.33",),
        "20.4.2",
        r"\hat{h}_j^{(1)} = \sigma(\sum_i v_i W_{i,j}^{(1)} + \sum_k W_{j,k}^{(2)} \hat{h}_k^{(2)})",
        "deep_boltzmann_machine",
        mean_field("h1", "v"),
        deep.first_mean,
        zero=BIASES,
    ),
    Row(
        ("20.34",),
        "20.4.2",
        r"\hat{h}_k^{(2)} = \sigma(\sum_j W_{j,k}^{(2)} \hat{h}_j^{(1)})",
        "deep_boltzmann_machine",
        mean_field("h2", "v"),
        deep.second_mean,
        zero=BIASES,
    ),
    Row(
        ("20.35",),
        "20.4.3",
        r"L(Q) = \sum_{ij} v_i W_{ij}^{(1)} \hat{h}_j^{(1)} + \sum_{jk} \hat{h}_j^{(1)} W_{jk}^{(2)} \hat{h}_k^{(2)}"
        r" - \log Z + H(Q)",
        "deep_boltzmann_machine",
        bound("v"),
        deep.bound,
        zero=BIASES,
    ),
    Row(
        ("20.36",),
        "20.4.5",
        r"E(x) = -x^\top U x - b^\top x",
        "visible_boltzmann_machine",
        energy(),
        boltzmann.energy,
    ),
    Row(
        ("20.37",),
        "20.4.5",
        r"E'(x) = -(x - \mu)^\top U (x - \mu) - (x - \mu)^\top b",
        "centred_boltzmann_machine",
        energy(),
        boltzmann.centred_energy,
    ),
)

REAL_VALUED = (
    Row(
        ("20.38",),
        "20.5.1",
        r"p(v \mid h) = \mathcal{N}(v; W h, \beta^{-1}) \text{, the mean}",
        "gaussian_rbm",
        conditional("v", "mean"),
        real_valued.gaussian_visible_mean,
        zero=("a",),
    ),
    Row(
        ("20.38",),
        "20.5.1",
        r"p(v \mid h) = \mathcal{N}(v; W h, \beta^{-1}) \text{, the precision}",
        "gaussian_rbm",
        conditional("v", "precision"),
        real_valued.gaussian_visible_precision,
        zero=("a",),
    ),
    Row(
        ("20.39",),
        "20.5.1",
        r"\log p(v \mid h) = -\frac{1}{2} (v - W h)^\top \beta (v - W h) + f(\beta)",
        "gaussian_rbm",
        log_posterior("h", shows="v"),
        real_valued.gaussian_log_density,
        zero=("a",),
    ),
    Row(
        ("20.42",),
        "20.5.1",
        r"E(v, h) = \frac{1}{2} v^\top (\beta \odot v) - (v \odot \beta)^\top W h - b^\top h",
        "gaussian_rbm",
        energy(),
        real_valued.gaussian_energy,
        zero=("a",),
    ),
    Row(
        (),
        "20.5.1",
        r"P(h_i = 1 \mid v) = \sigma(b_i + \sum_j v_j \beta_j W_{j,i})",
        "gaussian_rbm",
        conditional("h", "probs"),
        real_valued.gaussian_hidden_on,
    ),
    Row(
        ("20.43", "20.44", "20.45"),
        "20.5.2",
        r"E_{mc} = \frac{1}{2} x^\top x - \sum_j x^\top W_{:,j} h_j^{m} - \sum_j b_j^{m} h_j^{m}"
        r" + \frac{1}{2} \sum_j h_j^{c} (x^\top r^{(j)})^2 - \sum_j b_j^{c} h_j^{c}",
        "mcrbm",
        energy(),
        real_valued.mc_energy,
    ),
    Row(
        ("20.47",),
        "20.5.2",
        r"p(x \mid h) = \mathcal{N}(x; C \sum_j W_{:,j} h_j^{m}, C) \text{, the mean}",
        "mcrbm",
        conditional("x", "mean"),
        real_valued.mc_mean,
    ),
    Row(
        ("20.47",),
        "20.5.2",
        r"C = (\sum_j h_j^{c} r^{(j)} r^{(j)\top} + I)^{-1}",
        "mcrbm",
        conditional("x", "covariance"),
        real_valued.mc_covariance,
    ),
    Row(
        ("20.48", "20.49"),
        "20.5.2",
        r"E = E_m + \sum_j (h_j^{c} (1 + \frac{1}{2} (r^{(j)\top} x)^2) + (1 - \gamma_j) \log h_j^{c})",
        "mpot",
        energy(),
        real_valued.student_energy,
    ),
    Row(
        (),
        "20.5.2",
        r"p(h_j^{c} \mid x) = \text{Gamma, the shape } \gamma_j",
        "mpot",
        conditional("h_c", "shape"),
        real_valued.student_shape,
    ),
    Row(
        (),
        "20.5.2",
        r"p(h_j^{c} \mid x) = \text{Gamma, the rate } 1 + \frac{1}{2} (r^{(j)\top} x)^2",
        "mpot",
        conditional("h_c", "rate"),
        real_valued.student_rate,
    ),
    Row(
        ("20.50", "20.51"),
        "20.5.2",
        r"E_{ss} = -\sum_i x^\top W_{:,i} s_i h_i + \frac{1}{2} x^\top (\Lambda + \sum_i \Phi_i h_i) x"
        r" + \frac{1}{2} \sum_i \alpha_i s_i^2 - \sum_i \alpha_i \mu_i s_i h_i - \sum_i b_i h_i"
        r" + \sum_i \alpha_i \mu_i^2 h_i",
        "ssrbm",
        energy(),
        real_valued.slab_energy,
    ),
    Row(
        ("20.52",),
        "20.5.2",
        r"p(x \mid h) = \frac{1}{P(h)} \frac{1}{Z} \int \exp\{-E(x, s, h)\} ds",
        "ssrbm",
        minus_free_energy("x", "h"),
        real_valued.slab_log_marginal,
    ),
    Row(
        ("20.53",),
        "20.5.2",
        r"p(x \mid h) = \mathcal{N}(x; C \sum_i W_{:,i} \mu_i h_i, C)",
        "ssrbm",
        rise_from_zero("x", "h"),
        real_valued.slab_log_ratio,
    ),
    Row(
        ("20.53",),
        "20.5.2",
        r"C = (\Lambda + \sum_i \Phi_i h_i - \sum_i \alpha_i^{-1} h_i W_{:,i} W_{:,i}^\top)^{-1}",
        "ssrbm",
        conditional("x", "mean", without=("s",)),
        real_valued.slab_visible_unit_mean,
    ),
)

STRUCTURED = (
    Row(
        (),
        "20.6",
        r"P(\text{detector} = 1 \mid v) = \frac{e^{I}}{1 + \sum_{\text{block}} e^{I}}"
        r"\text{, the state of all off with energy 0}",
        "convolutional_rbm",
        conditional("h", "probs"),
        convolutional.detectors_on,
    ),
    Row(
        (),
        "20.7",
        r"P(h_j = 1 \mid v, u) \text{: the biases are linear in the past } u",
        "conditional_rbm",
        conditional("h", "probs"),
        restricted.hidden_on_given_past,
    ),
    Row(
        (),
        "20.7",
        r"P(v_i = 1 \mid h, u) \text{: the biases are linear in the past } u",
        "conditional_rbm",
        conditional("v", "probs"),
        restricted.visible_on_given_past,
    ),
)

DIRECTED = (
    Row(
        ("20.60", "20.61"),
        "20.9.1",
        r"\frac{\partial E[J(y)]}{\partial \omega} = \sum_y J(y) \frac{\partial p(y)}{\partial \omega}"
        r" = \sum_y J(y) p(y) \frac{\partial \log p(y)}{\partial \omega}",
        "helmholtz_machine",
        expected_score("R", "h", directed.cost),
        directed.gradient_of_expected_cost,
    ),
    Row(
        ("20.70",),
        "20.10.1",
        r"p(s_i) = \sigma(\sum_{j < i} W_{j,i} s_j + b_i) \text{, multiplied over the units}",
        "fully_visible_belief_net",
        log_likelihood(),
        directed.log_probability,
    ),
    Row(
        ("20.70",),
        "20.10.1",
        r"p(v_i) = \sigma(\sum_j W_{j,i} h_j + b_i)",
        "sigmoid_belief_net",
        factor("v"),
        directed.effects_on,
    ),
    Row(
        ("20.76",),
        "20.10.3",
        r"L(q) = E_{z \sim q(z \mid x)} \log p(z, x) + H(q(z \mid x))",
        "variational_autoencoder",
        noise_bound(closed=False),
        directed.bound_with_entropy,
    ),
    Row(
        ("20.77",),
        "20.10.3",
        r"L(q) = E_{z \sim q(z \mid x)} \log p(x \mid z) - KL(q(z \mid x) \| p(z))",
        "variational_autoencoder",
        noise_bound(closed=True),
        directed.bound_with_divergence,
    ),
    Row(
        ("20.79",),
        "20.10.3",
        r"L_k(x, q) = E \left[ \log \frac{1}{k} \sum_i \frac{p(x, z^{(i)})}{q(z^{(i)} \mid x)} \right]",
        "variational_autoencoder",
        weighted_bound(draws=3),
        directed.weighted_bound,
    ),
)

CHAPTER: tuple[Row, ...] = (*BOLTZMANN_MACHINES, *RESTRICTED, *DEEP, *REAL_VALUED, *STRUCTURED, *DIRECTED)
