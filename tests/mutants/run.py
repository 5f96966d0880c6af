"""Plants the faults one by one, and shows which test notices each: ``python tests/mutants/run.py [--only WORDS]``.

Every fault is planted in a copy of the package, in a folder of its own, and the tests named with it run against the
copy. The exit status is 1 if a fault goes unnoticed, or its text is no longer in the source.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 900


def main() -> int:
    """Runs the faults; 1 if one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="run the faults whose description has these words")
    wanted = parser.parse_args().only
    survivors = 0
    print("| fault | file | noticed by |\n| --- | --- | --- |")
    for mutant in (m for m in MUTANTS if wanted in m.fault):
        verdict = noticed(mutant)
        survivors += verdict is None
        print(f"| {mutant.fault} | {mutant.file} | {verdict or '**nothing**'} |", flush=True)
    return int(survivors > 0)


def noticed(mutant: Mutant) -> str | None:
    """The first test that fails with the fault planted; None if all pass or the fault cannot be planted."""
    if occurrences(mutant) != 1:
        return None
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "pgmc", Path(folder) / "pgmc", ignore=shutil.ignore_patterns("__pycache__"))
        planted = Path(folder) / "pgmc" / mutant.file
        planted.write_text(planted.read_text().replace(mutant.old, mutant.new))
        # -P keeps the checkout itself off the path. Kernels are cached under a hash of the package's source, so those
        # of a fault would never be used again.
        given = {"PYTHONPATH": folder, "PGMC_CACHE_DIR": str(Path(folder) / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        options = ["-x", "-p", "no:cacheprovider", "--tb=no", "-rfE"]
        options += ["--fuzz-tries", "0"] if "fuzz" in mutant.tests[0] else []
        command = [sys.executable, "-P", "-m", "pytest", *mutant.tests, *options]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | given, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.M)
    return found.group(1) if found else None


def occurrences(mutant: Mutant) -> int:
    """How often the text that a fault replaces stands in its file."""
    return (ROOT / "pgmc" / mutant.file).read_text().count(mutant.old)


if __name__ == "__main__":
    sys.exit(main())
