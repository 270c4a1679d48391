"""What a gesture sets off: actions.toml, carried out by `beckon collect` or `beckon act`.

settings.py reads the file, rules.py decides, perform.py does it, runner.py queues and records.
"""
