"""Parts of the benchmark: each one measures and yields rows of the table."""
