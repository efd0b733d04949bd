"""What goes wrong in a way that the user can mend."""


class FetchError(Exception):
    """Its text is for the user: what was found, what was expected, the way out, in one line; other
    ways each in one of their own."""


def reason(error):
    """Of an OSError, what the system says, without number and file name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
