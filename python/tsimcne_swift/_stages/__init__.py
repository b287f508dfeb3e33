"""Stages of training: what a user says of them, and what the core gets."""

# Pickles of version 0.1 name it here.
from .stage import Stage as Stage
