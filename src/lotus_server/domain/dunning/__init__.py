"""What to do about an unpaid invoice, and when."""
