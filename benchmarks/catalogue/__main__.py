"""``python -m benchmarks.catalogue``."""

from __future__ import annotations

import argparse
import sys

import benchmarks.catalogue
from benchmarks.catalogue.page import PAGE, table, write
from benchmarks.catalogue.row import run
from benchmarks.catalogue.rows import ROWS


def main() -> int:
    """Print or write rows; 1 if one does not show what it should."""
    keys = [row.key for row in ROWS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.catalogue",
        description=benchmarks.catalogue.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(keys)}; all of them by default")
    parser.add_argument("--write", action="store_true", help=f"put them into {PAGE.name}")
    parser.add_argument("--list", action="store_true", help="what the rows are")
    arguments = parser.parse_args()
    if unknown := [key for key in arguments.rows if key not in keys]:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(keys)}")
    if arguments.list:
        print("\n".join(f"{row.key:<4} {row.title}: {', '.join(row.specs)}" for row in ROWS))
        return 0
    outcomes = []
    for row in ROWS:
        if row.key in (arguments.rows or keys):
            outcomes.append(run(row, lambda line: print(line, file=sys.stderr, flush=True)))
            if arguments.write:
                write(outcomes[-1:], keys)
    print(table(outcomes))
    return 0 if all(o.shown.holds and not any(p.refused for p in o.proofs) for o in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
