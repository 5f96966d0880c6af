"""Text: from answers to array programs, loop programs, and the source of kernels."""
