"""Words used everywhere: errors, exact numbers, money, periods, instants, identifiers."""
