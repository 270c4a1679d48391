"""Benchmarks: each file NAME.py of this folder is one, `beckon bench NAME`.

The first line of its docstring is its summary. It has

    measure(args, note) -> dict    figures for JSON; calls note("what it does") now and then
    summary(figures) -> str        a few lines for people

and, if it has options, add_arguments(parser). EXTRA names an extra of pyproject.toml that
it needs. It imports at its top only what is
quick to import, since `beckon bench --help` imports all. Folders hold what a
benchmark needs.
"""
