"""Products and directions of rows of numbers, the same bits on any number of threads."""
