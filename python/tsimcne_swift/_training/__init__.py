"""One training, from every check to its last step."""
