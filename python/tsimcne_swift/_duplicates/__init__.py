"""Images that show the same."""
