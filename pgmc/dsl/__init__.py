"""What the user writes: declarations and expressions in two notations. Builds the IR and nothing else."""
