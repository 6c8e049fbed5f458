"""Score sheets: drafts saved at every change, marks, seal, corrections as new versions."""
