"""What is wrong with a run's files."""


class RunError(Exception):
    """Its text is one line for the user: file and line, what was found, what was expected."""
