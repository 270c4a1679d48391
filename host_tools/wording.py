"""Words that fit a number."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 sample`, `2 samples`; plural is for nouns that need more than an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
