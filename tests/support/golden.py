"""The texts of a few kernels as they stand in tests/codegen/golden, so that a change of the compiler shows as a diff.

    python tests/support/golden.py

writes them anew.
"""

from __future__ import annotations

from pathlib import Path

from energies import build
from pgmc.codegen.numpy_printer import print_numpy
from pgmc.compiler import Compiler
from pgmc.ir.queries import Energy, FreeEnergy, Gradient, Query, Sweep, kernel_name

FOLDER = Path(__file__).parent.parent / "codegen" / "golden"

KERNELS: dict[str, tuple[str, Query]] = {
    "two_layers_sweep": ("two_layers", Sweep(("v", "h"))),
    "two_layers_energy": ("two_layers", Energy()),
    "two_layers_free_energy": ("two_layers", FreeEnergy(("v",))),
    "two_layers_gradient": ("two_layers", Gradient(FreeEnergy(("v",)), ("W", "b", "c"))),
    "coupled_spins_sweep": ("coupled_spins", Sweep(("s",), masked=("s",))),
    "labels_sweep": ("labels", Sweep(("y", "s"))),
}


def texts() -> dict[str, str]:
    """File name -> text: the Numba kernel and the NumPy text of each."""
    found = {}
    for title, (model, query) in KERNELS.items():
        compiler = Compiler(build(model), "float32")
        found[f"{title}.numba.txt"] = compiler.stages(query).module.source
        found[f"{title}.numpy.txt"] = print_numpy(compiler.model, kernel_name(query), compiler.answer(query))
    return found


if __name__ == "__main__":
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(FOLDER / name)
