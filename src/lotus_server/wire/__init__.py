"""JSON shapes and their mapping to domain objects."""
