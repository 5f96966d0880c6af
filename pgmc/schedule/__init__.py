"""Order of work: which blocks a sweep updates, in which order, and how."""
