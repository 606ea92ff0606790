"""Recordings: decoding, loading, levels."""
