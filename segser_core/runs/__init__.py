"""The run folder: read, written, filtered. Nothing here needs torch."""
