"""Tests of the server; shared helpers are imported as `tests.<name>`."""
