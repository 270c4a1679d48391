"""Starts the firmware; see app.py."""

from machine import DEEPSLEEP_RESET, reset_cause

if reset_cause() == DEEPSLEEP_RESET:
    from power.early import begin

    begin()

from app import main

main()
