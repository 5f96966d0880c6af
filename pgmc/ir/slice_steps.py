"""The law of a step of slice sampling, which generated kernels and the reference follow alike."""

WIDTH = 2.0
"""Of the first interval, in units of the variable or of its logarithm."""

STEPS = 16
"""The most intervals that are joined."""

MOST_SHRINKS = 200
"""The turn at which a unit stays where it is; the interval is a point long before."""

SMALLEST = 1e-37
"""The least value of a positive unit."""
