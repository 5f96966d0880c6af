"""The rows of the table."""

from __future__ import annotations

from benchmarks import laplacian
from benchmarks.catalogue import classes, conditional, directed, exact, groups, images, real
from benchmarks.catalogue.row import Row, both

ROWS = (
    Row("A1", "Boltzmann machine", {"visible_boltzmann_machine": {}}, exact.visible_machine),
    Row("A2", "Boltzmann machine with hidden units", {"boltzmann_machine": {}}, exact.hidden_machine),
    Row("A3", "restricted Boltzmann machine", {"rbm": {}, "spin_rbm": {}}, images.restricted),
    Row("A4", "deep Boltzmann machine, three hidden layers", {"deep_boltzmann_machine": {"depth": 3}}, images.deep),
    Row(
        "A5",
        "Ising and Potts lattices, sparse graph",
        {"lattice": {}, "cubic_lattice": {}, "potts": {}, "spin_glass": {}},
        both(exact.spin_glass, exact.potts),
    ),
    Row(
        "A6",
        "softmax units, replicated softmax",
        {"softmax_rbm": {}, "replicated_softmax": {}},
        both(images.grey_levels, groups.topics),
    ),
    Row("A7", "three-way, whole and factored", {"three_way": {}, "factored_three_way": {}}, exact.three_way),
    Row("A8", "gated by a class", {"class_gated_rbm": {}}, classes.gated),
    Row("A9", "two hidden groups, one sees the class", {"two_group_class_rbm": {}}, classes.two_groups),
    Row("A10", "point-wise gated", {"point_wise_gated_rbm": {}}, images.gated_pixels),
    Row("A11", "discriminative and hybrid", {"class_rbm": {}}, classes.discriminative),
    Row(
        "A12",
        "centred machines",
        {"centred_boltzmann_machine": {}, "centred_deep_boltzmann_machine": {"depth": 3}},
        both(exact.centred, images.centred_deep),
    ),
    Row(
        "A13",
        "convolutional, pooled, and stacked",
        {"convolutional_rbm": {}, "convolutional_dbm": {}},
        groups.pooled_digits,
    ),
    Row("A14", "conditional, restricted", {"conditional_rbm": {}}, conditional.right_given_left),
    Row("A15", "conditional, any energy", {"conditional_boltzmann_machine": {}}, conditional.structured),
    Row("B1", "Gaussian and binary units", {"gaussian_rbm": {}}, both(real.gaussian, laplacian.sources)),
    Row("B2", "mean and covariance units", {"mcrbm": {}}, real.mean_and_covariance),
    Row("B3", "products of Student-t distributions", {"mpot": {}}, real.student_t),
    Row("B4", "spike and slab", {"ssrbm": {}}, real.spike_and_slab),
    Row("B5", "rectified units", {"rectified_rbm": {}}, real.rectified),
    Row("C1", "sigmoid belief net", {"sigmoid_belief_net": {}}, directed.sigmoid_belief_net),
    Row("C2", "deep belief net", {"deep_belief_net": {}}, directed.deep_belief_net),
    Row("C3", "Helmholtz machine", {"helmholtz_machine": {}}, directed.helmholtz_machine),
    Row("C4", "REINFORCE, NVIL", {"helmholtz_machine": {}}, directed.reinforce),
    Row("C8", "auto-regressive nets", {"fully_visible_belief_net": {}}, directed.fully_visible),
)
