"""Protocols only: what the system needs of the outside, in its own words."""
