"""Starts the firmware; app.py wires it."""

from app import main

main()
