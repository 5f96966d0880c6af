"""What the user writes: variables, parameters and expressions in two notations. Builds the IR and nothing else."""
