"""Quantity x price -> an amount that explains itself."""

from lotus_server.domain.rating.lines import Rated, Step

__all__ = ["Rated", "Step"]
