"""How words are tagged by their tokens: in training, in Python and in a SavedModel's graph."""
