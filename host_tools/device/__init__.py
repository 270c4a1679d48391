"""What a board is given, and how."""
