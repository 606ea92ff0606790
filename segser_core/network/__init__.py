"""The network: encoders, segments, losses, the model."""
