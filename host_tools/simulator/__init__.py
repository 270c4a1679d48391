"""The firmware on this computer: a simulated board and the sensor's registers."""
