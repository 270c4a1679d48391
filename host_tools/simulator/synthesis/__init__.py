"""Recordings of a hand that never was: from a movement to what a sensor says of it.

    person -> trajectory (position, attitude) -> kinematics (force, turn) -> sensor (counts)

Everything follows from a seed.
"""
