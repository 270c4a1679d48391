"""The Data page: recordings and takes, importing them, changing many at once."""
