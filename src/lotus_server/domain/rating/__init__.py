"""Quantity times price: lines that explain themselves."""
