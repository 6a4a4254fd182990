"""What billing means, as pure functions of data; one room per idea."""
