"""Settings, typed, from YAML and the command line."""
