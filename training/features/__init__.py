"""From clips to batches of features."""
