"""Puts what has reached the broker into config.json, on trial."""

import json

from ops.files import CONFIG, exists, write_atomically
from ops.rollback import Rollback


def store(values):
    """Put values, a dict of settings, into config.json, on trial. Raises OSError."""
    try:
        with open(CONFIG) as file:
            stored = json.loads(file.read())
    except (OSError, ValueError):
        stored = {}
    if not exists(CONFIG):
        write_atomically(CONFIG, "{}")  # what comes back if the trial fails
    stored.update(values)
    with open(CONFIG + ".new", "w") as file:
        file.write(json.dumps(stored))
    Rollback(CONFIG).replace(CONFIG + ".new")
