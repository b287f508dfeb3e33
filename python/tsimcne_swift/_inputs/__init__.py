"""What is trained on and mapped: images, vectors, and arrays that are read piece by piece."""
