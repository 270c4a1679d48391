"""The signal view: a canvas viewer in the browser, and its side in Python."""
