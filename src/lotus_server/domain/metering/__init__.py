"""What is counted: metrics, filters and aggregations over events."""
