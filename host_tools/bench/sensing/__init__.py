"""What `bench sampling` is made of: a board that only samples, and the truth to compare with."""
