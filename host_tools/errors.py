"""The error that every part of the host tools raises for what a user can mend."""


class BeckonError(Exception):
    """One line that names the value and the cure.

    status: what the command exits with; 1 unless the fault lies in how the
    command was called (2).
    """

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status
