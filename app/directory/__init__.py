"""Regions, organisations, people: who is where, with dates."""
