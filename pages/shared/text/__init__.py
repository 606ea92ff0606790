"""Text of the pages."""
