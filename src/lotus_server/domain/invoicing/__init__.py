"""Lines, discounts, tax, totals, states and corrections of invoices."""
