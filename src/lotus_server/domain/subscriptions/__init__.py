"""Who has which plan, from when to when."""
