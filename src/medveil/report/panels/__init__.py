"""One panel per file: findings in, a piece of the page out."""
