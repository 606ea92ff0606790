"""What a model says of a recording. Nothing here needs torch."""
