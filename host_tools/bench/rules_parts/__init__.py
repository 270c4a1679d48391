"""The parts of `beckon bench rules`: everyday movement, and the simulated hand."""
