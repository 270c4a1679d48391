"""The parts of the simulated MPU-6500: movement, signal chain, FIFO, register tables."""
