"""The Try page."""
