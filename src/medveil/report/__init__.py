"""Report: findings as a page a person can read. Renders, computes nothing."""
