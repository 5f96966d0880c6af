"""The catalogue: one file per model, each a spec and nothing else."""
