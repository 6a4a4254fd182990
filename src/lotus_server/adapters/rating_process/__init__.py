"""A process that rates usage beside a billing run, on another core: both ends of the way to it."""

from lotus_server.adapters.rating_process.link import RatingProcesses
from lotus_server.adapters.rating_process.process import serve_rating

__all__ = ["RatingProcesses", "serve_rating"]
