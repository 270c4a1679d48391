"""What `bench battery` is made of: currents, profiles of use, and a hand that wakes the board."""
