"""The expert pool: admission, facts, declarations, availability, sanctions."""
