"""Judging a model as the board would: its integers, its events, and their figures."""
