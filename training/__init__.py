"""Training, evaluation and the corpora that they read; nothing here is needed to analyse a recording."""
