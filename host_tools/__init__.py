"""The computer's side of Beckon: the library behind the `beckon` command."""
