"""Find out what is wrong with a board: sensor, settings, network, broker, clock."""
