"""May this customer do this now, and how much is left."""
