"""Parts of `beckon bench fleet`."""
