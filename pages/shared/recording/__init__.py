"""One recording or several: chosen, analysed in turn, played, downloaded."""
