"""The argument --port of the commands that serve pages."""

import argparse


def page_port(text: str) -> int:
    """0: any that is free."""
    if not (text.isascii() and text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r}: name a number from 0 to 65535")
    return int(text)
