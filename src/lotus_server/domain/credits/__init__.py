"""Grants, the order they burn down in, and their ledger."""
