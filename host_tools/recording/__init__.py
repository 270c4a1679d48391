"""Recording gestures: from a board's serial line, or another source, to data-set folders."""
