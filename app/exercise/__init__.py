"""The exercise (演练): an invented round on the six districts of the Beijing notice of 2012."""
