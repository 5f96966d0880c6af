"""Mathematics: from the energy to conditionals, free energies and gradients. sympy sees scalars only."""
