"""The model file, the board's arithmetic in NumPy, and quantising into it."""
