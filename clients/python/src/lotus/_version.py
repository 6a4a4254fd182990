"""The version of this distribution, as it is told to the server."""

__version__ = "1.0.0"
