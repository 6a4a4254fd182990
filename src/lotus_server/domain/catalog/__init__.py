"""What is sold: features, plans, versions, components and add-ons."""
