"""The ASGI edge: routes, authentication and problem answers, without business rules."""
