"""Credits: a customer's balance and the postings it is the sum of."""

from lotus_server.domain.credits.ledger import CreditPosting

__all__ = ["CreditPosting"]
