"""Side-by-side measurements of pgmc, of what it cannot be faster than, and of its peers."""
