"""Models of one part of an image given another part, and of a frame given the frames before it."""

from __future__ import annotations

from typing import Any

import numpy as np

import pgmc
from benchmarks.catalogue.images import ascend, black, digits
from benchmarks.catalogue.row import Shown, model_of

Arrays = dict[str, Any]

HALF, HIDDEN = 32, 12


def halves(grey: Any) -> tuple[Any, Any]:
    """Left and right halves of images, as rows of bits."""
    square = black(grey).reshape(-1, 8, 8)
    return square[:, :, :4].reshape(-1, HALF), square[:, :, 4:].reshape(-1, HALF)


def as_conditional(joint: Arrays) -> Arrays:
    """What a joint machine over both halves says of the right one given the left one, as parameters of conditional_rbm.

    p(right, left) / p(left) has the left half in the fields of the hidden units only: A is zero.
    """
    return {
        "W": joint["W"][HALF:],
        "B": joint["W"][:HALF].T,
        "A": np.zeros((HALF, HALF), dtype=joint["W"].dtype),
        "b": joint["b"][HALF:],
        "c": joint["c"],
    }


def right_given_left() -> Shown:
    """Both machines have as many hidden units, are tuned over the same settings, and are measured exactly."""
    left, right = halves(digits().train)
    held_out = dict(zip(("u", "v"), halves(digits().test), strict=True))
    conditional = model_of("conditional_rbm", visible=HALF, hidden=HIDDEN, inputs=HALF)
    joint = model_of("rbm", visible=2 * HALF, hidden=HIDDEN)
    program = pgmc.compile(conditional)

    def nats(params: Arrays, images: Arrays) -> float:
        log_z = program.log_partition(params, {"u": images["u"]}, method="exact")
        return float(program.log_likelihood(params, images, log_z).mean())

    fit_rows, valid = slice(0, 1077), slice(1077, None)
    chosen: dict[str, tuple[float, float, float]] = {}
    for rate in (0.1, 0.3):
        data = {"v": right[fit_rows], "u": left[fit_rows]}
        one = ascend(conditional, data, pgmc.CD(k=5), rate).params
        other = as_conditional(ascend(joint, {"v": np.hstack([left, right])[fit_rows]}, pgmc.PCD(k=5), rate).params)
        for name, params in (("conditional", one), ("joint", other)):
            score = nats(params, {"u": left[valid], "v": right[valid]})
            if name not in chosen or score > chosen[name][0]:
                chosen[name] = (score, nats(params, held_out), rate)
    generated = free_running()
    return Shown(
        f"conditional_rbm (right half given left half, {HIDDEN} hidden units), CD, on binary digits, beside an rbm "
        "over both halves; conditional_rbm (8 pixels given the last two frames), exact likelihood, on a film of a "
        "moving bar",
        f"log p(right given left) of test images, exact: conditional {chosen['conditional'][1]:.2f} nats, rbm "
        f"{chosen['joint'][1]:.2f}, rates chosen on a validation set; {100 * generated:.0f} % of 200 frames that the "
        "model makes, each given its own last two, are what comes next",
        chosen["conditional"][1] > chosen["joint"][1] and generated > 0.9,
    )


def film(frames: int, width: int = 8) -> Any:
    """A bar of two pixels that moves one pixel a frame and turns at the edges."""
    places = np.concatenate([np.arange(width - 1), np.arange(width - 3, 0, -1)])
    place = places[np.arange(frames) % len(places)]
    return ((np.arange(width) - place[:, None]) // 2 == 0).astype(np.int8)


def windows(frames: Any) -> Arrays:
    """Every frame with the two before it."""
    return {"v": frames[2:], "u": np.hstack([frames[:-2], frames[1:-1]])}


def free_running(steps: int = 200) -> float:
    """Frame after frame from the model, the window sliding over what it made: how many are what comes next."""
    frames = film(400)
    model = model_of("conditional_rbm", visible=8, hidden=20, inputs=16)
    data = windows(frames)
    exact, optimizer = pgmc.ExactLikelihood(), pgmc.Adam(0.03, weight_decay=0.01)
    params = pgmc.fit(model, data, exact, optimizer, epochs=300, batch_size=len(data["v"]), progress=False).params
    program = pgmc.compile(model)
    made = [frames[0], frames[1]]
    after = {(bytes(a), bytes(b)): c for a, b, c in zip(frames, frames[1:], frames[2:], strict=False)}
    right = 0
    for step in range(steps):
        given = {"u": np.hstack(made[-2:])[None]}
        made.append(program.sample(params, chains=1, sweeps=100, inputs=given, seed=step)["v"][0, 0])
        wanted = after.get((bytes(made[-3]), bytes(made[-2])))
        right += wanted is not None and bool((made[-1] == wanted).all())
    return right / steps


def structured() -> Shown:
    """A row of pixels given the rows above it: outputs that see one another, beside outputs that do not."""
    rows = 5
    parts = []
    for grey in (digits().train, digits().test):
        pixels = black(grey).reshape(-1, 8, 8)
        parts.append({"x": pixels[:, :rows].reshape(len(pixels), -1), "y": pixels[:, rows]})
    train, test = parts
    found = {}
    machines = {
        "coupled": model_of("conditional_boltzmann_machine", inputs=8 * rows, outputs=8, hidden=8),
        "not coupled": independent_outputs(8 * rows, 8),
    }
    for name, model in machines.items():
        optimizer = pgmc.Adam(lambda epoch: 0.02 * min(1.0, 2.0 - epoch / 30), weight_decay=0.05)
        exact = pgmc.ExactLikelihood()
        fit = pgmc.fit(model, train, exact, optimizer, epochs=60, batch_size=100, progress=False)
        program = pgmc.compile(model)
        log_z = program.log_partition(fit.params, {"x": test["x"]}, method="exact")
        found[name] = float(program.log_likelihood(fit.params, test, log_z).mean())
    return Shown(
        "conditional_boltzmann_machine (8 outputs given 40 inputs, 8 hidden units), exact likelihood, on the sixth row "
        "of binary digits given the five above",
        f"log p(row given rows above) of test images, exact: {found['coupled']:.3f} nats, {found['not coupled']:.3f} "
        "with outputs that are independent given the inputs",
        found["coupled"] > found["not coupled"],
    )


def independent_outputs(inputs: int, outputs: int) -> pgmc.Model:
    """A logistic regression for each output."""
    m = pgmc.Model("independent_outputs")
    y, x = m.binary("y", outputs), m.input("x", inputs)
    A, b = m.param("A", (inputs, outputs)), m.param("b", outputs)
    m.energy(-(x @ A @ y) - b @ y)
    return m
