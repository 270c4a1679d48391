"""What `beckon bench studio` does in the browser."""
