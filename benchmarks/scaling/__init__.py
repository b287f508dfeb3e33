"""Larger than memory, larger than a machine: tables for docs/scaling.md."""
