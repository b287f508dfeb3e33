"""The map's points: how they move, and where a new image goes."""
