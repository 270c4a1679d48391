"""The commands of `beckon`, one file each; app.py finds and starts them."""
