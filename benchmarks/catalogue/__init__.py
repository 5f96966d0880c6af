"""Every model of the catalogue: declared, its structure found, proved, and trained.

python -m benchmarks.catalogue              print the table, some minutes
python -m benchmarks.catalogue A4 A11       some of its rows
python -m benchmarks.catalogue --write      and put them into docs/catalogue.md
python -m benchmarks.catalogue --list       what the rows are
"""
