"""Fetching of corpora from their publishers: downloads, checksums, unpacking."""
