"""The start page: projects, what is in each, what to do next."""
