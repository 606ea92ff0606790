"""From trained models to run folders."""
