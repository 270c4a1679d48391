"""Starts the firmware; see app.py."""

from app import main

main()
