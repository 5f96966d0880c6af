"""What follows from the structure of the energy alone: who interacts with whom, and what may be updated together."""
