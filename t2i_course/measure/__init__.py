"""What a figure in a table is made of."""
