"""The blocks of the page Recall."""
