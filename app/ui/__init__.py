"""How pages look and speak: language, filters, access declarations. Knows no room."""
