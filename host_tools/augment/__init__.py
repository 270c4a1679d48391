"""Make one recording stand for many: the same gesture held, timed and measured otherwise."""
