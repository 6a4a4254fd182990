"""What runs on a clock: claim due rows, call a use case."""
