"""How log lines look: for people, or as JSON for machines."""

import logging
import sys

import structlog


def configure_logs(log_format: str) -> None:
    """Write log lines to standard error, as `text` or `json`.

    Tracebacks never show the values of variables: some are secret.
    """
    text = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    last = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()] if log_format == "json" else [text]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
