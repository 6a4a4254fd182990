"""One function per verb: load, decide, save; owner of the transaction."""
