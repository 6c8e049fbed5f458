"""The one writer each of PDF, XLSX/CSV, SVG charts and QR, and the one safe reader of tables.

Basement: knows no room, no database and no request. Callers hand over plain data.
"""
