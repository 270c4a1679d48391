"""The engine of this computer as a device on a broker, like a board."""
