"""How far the rows of a table single people out, and what they tell of them."""
