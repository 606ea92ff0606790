"""The parts of the page Recall."""
