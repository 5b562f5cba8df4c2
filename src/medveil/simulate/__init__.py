"""People who do not exist: heads, faces, photographs and scans, and the cohort made of them."""
