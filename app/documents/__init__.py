"""The one writer each of PDF, XLSX/CSV, SVG charts and QR, and the one safe reader of tables.

Basement: knows no room, no database and no request. Callers hand over plain data.
"""

import os

# python-docx brings lxml, and openpyxl would take it for reading: hostile XML is refused only by its
# other parser, with defusedxml (`tables`). Asked before openpyxl is imported anywhere.
os.environ["OPENPYXL_LXML"] = "False"
