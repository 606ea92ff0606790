"""A recording: chosen, analysed in turn, played, downloaded."""
