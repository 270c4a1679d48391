"""The error that every part of the host tools raises for what a user can mend.

    raise BeckonError("{path}: holds no span; label the recordings first", path=path)

The text and its values stay apart, so that Studio can say it in another language
(studio/frame/language.py). Everywhere else it is the English sentence.
"""
from __future__ import annotations

from numbers import Number
from typing import Any


class Sentence(str):
    """An English sentence that still knows its template and its values.

    Sentence("port {port} is not there", port=port) equals "port /dev/ttyUSB0 is not there".
    template: with fields as of str.format; it is what translations are found by. values: plain
    ones, so that a message can be pickled; of an error its own message.
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Sentence:
        plain = {name: _plain(value) for name, value in values.items()}
        self = super().__new__(cls, template.format_map(plain) if plain else template)
        self.template, self.values = template, plain
        return self

    def __str__(self) -> Sentence:
        return self  # str(sentence) of a str would forget the rest

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.template, self.values)

    def changed(self, change: Any) -> Sentence:
        """The same with change(text) made to each text among the values, and to the template
        if there are none."""
        if not self.values:
            return Sentence(change(self.template))
        return Sentence(self.template, **{
            name: value.changed(change) if isinstance(value, Sentence)
            else change(value) if isinstance(value, str) else value
            for name, value in self.values.items()})


class BeckonError(Exception):
    """One line that names the value and the cure.

    message: the line, or its template with a value for each field. status: what the command
    exits with; 1 unless the fault lies in how the command was called (2).
    """

    def __init__(self, message: str, status: int = 1, **values: Any):
        self.message = message if isinstance(message, Sentence) else Sentence(message, **values)
        super().__init__(str(self.message))
        self.status = status

    def __str__(self) -> str:
        return self.message  # which still is a Sentence: str(error) can be translated later


def _plain(value: Any) -> Any:
    if isinstance(value, BeckonError):
        return value.message
    if value is None or isinstance(value, str | bytes | Number):
        return value
    return str(value)


def _rebuilt(template: str, values: dict[str, Any]) -> Sentence:
    return Sentence(template, **values)
