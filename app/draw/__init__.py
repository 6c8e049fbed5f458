"""The random draw: request, commitment, ceremony, seats and their states, replacement."""
