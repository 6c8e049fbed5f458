"""`python -m app.documents.pdf_part`: one part of a large paper, compiled in a process of its own.

Reads `[template, data, moment]` as JSON from standard input, writes the PDF to standard output; an error
goes to standard error with exit code 1. `pdf.render_parts` is the only caller.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

from app.documents.pdf import DocumentError, compiled


def main() -> int:
    template, data, moment = json.loads(sys.stdin.buffer.read())
    try:
        made = compiled(template, data, datetime.fromisoformat(moment))
    except DocumentError as error:
        sys.stderr.write(str(error))
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
