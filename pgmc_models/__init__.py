"""Forwards to models/ in a checkout, so that `pgmc_models.rbm` is there as it is in an installed wheel."""

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parent.parent / "models")]
