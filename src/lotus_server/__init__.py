"""The Lotus server: usage-based billing from an event to a paid invoice."""
