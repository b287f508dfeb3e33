"""What is measured. A function here prepares some work and returns a function that takes one sample.

It is called in a process of its own (see ``probe``), so that neither thread pools nor memory are shared.
"""
