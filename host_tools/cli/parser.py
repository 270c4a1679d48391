"""How commands read their arguments: one line for a fault, with the nearest known word."""

import argparse
import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose faults are one line that names the nearest option or choice."""

    _words: tuple[str, ...] = ()

    def error(self, message):
        if "are required" in message:  # perhaps it is there, but written wrongly
            message += self._slip(self._words, _options(self, {}))
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")

    def parse_known_args(self, args=None, namespace=None):
        self._words = tuple(args or ())
        return super().parse_known_args(args, namespace)

    def parse_args(self, args=None, namespace=None):
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            near = self._slip(unknown, _options(self, vars(found)))
            self.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        return found

    @staticmethod
    def _slip(words, options):
        """The known option that is most like the first unknown one among words, or ""."""
        known = set(options)
        for word in words:
            name = word.partition("=")[0]
            if name.startswith("-") and len(name) > 2 and name not in known:
                return nearest(f"--{name.lstrip('-')}", known)
        return ""

    def _check_value(self, action, value):
        """argparse calls this for an argument with choices, and for subcommands."""
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            near = nearest(str(value), map(str, action.choices or ()))
            raise argparse.ArgumentError(action, error.message + near) from None


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Shows defaults unless they are empty; keeps the line breaks of the example."""

    def _get_help_string(self, action):
        text = action.help or ""
        silent = action.default in (None, False, argparse.SUPPRESS, "", [], ())
        if silent or action.nargs == 0 or "%(default)" in text:
            return text
        return f"{text} (default: %(default)s)"


def nearest(word: str, known: Iterable[str]) -> str:
    """`: did you mean 'x'?` for the known word that is most like word, or "" for none."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f": did you mean {near[0]!r}?" if near else ""


def _options(parser: argparse.ArgumentParser, found: Mapping[str, Any]) -> Iterator[str]:
    """The long options of the parser and of the subcommands that were chosen."""
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            chosen = action.choices.get(found.get(action.dest, ""))
            if chosen is not None:
                yield from _options(chosen, found)
