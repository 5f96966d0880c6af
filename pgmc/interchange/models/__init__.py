"""Models and parameters made from those of other libraries."""
