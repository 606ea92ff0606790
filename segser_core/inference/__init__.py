"""From recordings to predictions: one, many, or shared out."""
