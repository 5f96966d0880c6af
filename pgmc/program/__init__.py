"""What the user holds: the compiled program, and functions that train, save and load. Everything delegates."""
