"""Bundle and publish models and runs."""
