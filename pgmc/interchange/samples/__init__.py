"""What was sampled, as objects of other libraries."""
