"""The clips of a run: filtered, listed, shown."""
