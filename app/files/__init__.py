"""Files that people bring: a content-addressed store and the checks at its door."""
