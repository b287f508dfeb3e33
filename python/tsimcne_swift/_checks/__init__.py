"""Checks of values that a user gives."""
