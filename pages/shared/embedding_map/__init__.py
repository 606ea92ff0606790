"""The maps of embeddings."""
