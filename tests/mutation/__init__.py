"""Mutation testing: change a module in one place, and see whether its tests notice.

    python -m tests.mutation                      # every module of targets.toml
    python -m tests.mutation ring_buffer split    # these

docs/commands/test.md describes how to read what it prints.
"""
