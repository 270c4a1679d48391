"""A phone's browser as sensor: one HTTPS page in the local network, and its QR code."""
