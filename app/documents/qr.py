"""QR codes as SVG text: one path, no raster image, so the same drawing serves screen and paper."""

from __future__ import annotations

from xml.sax.saxutils import escape

from app.domain.types import DomainError, Text

# 4 modules of quiet zone (ISO/IEC 18004); one user unit per module keeps the path short.
_QUIET = 4


def qr_svg(text: str, *, alt: str = "") -> str:
    """`text` as a QR code (error correction M, about 2,300 bytes at most) in one SVG element.

    The element has width, height and viewBox in modules (scale it by CSS or by the caller), and a
    `<title>` for screen readers: `alt`, or the text itself. Black on white, no style attributes.
    """
    # Imported where a code is drawn: qrcode looks for Pillow, which starting up does without.
    import qrcode
    from qrcode.exceptions import DataOverflowError

    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=_QUIET, box_size=10)
    code.add_data(text)
    try:
        code.make(fit=True)
    except (DataOverflowError, ValueError) as error:
        raise DomainError(
            Text(
                "内容过长，无法生成二维码。请缩短后重试。",
                "Too long for a QR code. Shorten the text and try again.",
            )
        ) from error
    matrix = code.get_matrix()
    size = len(matrix)
    runs = []
    for y, row in enumerate(matrix):
        x = 0
        while x < size:
            if row[x]:
                end = x
                while end < size and row[end]:
                    end += 1
                runs.append(f"M{x} {y}h{end - x}v1h-{end - x}z")
                x = end
            else:
                x += 1
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size * 4}" height="{size * 4}" '
        f'viewBox="0 0 {size} {size}" role="img" shape-rendering="crispEdges">'
        f"<title>{escape(alt or text)}</title>"
        f'<rect width="{size}" height="{size}" fill="#ffffff"/>'
        f'<path d="{"".join(runs)}" fill="#000000"/></svg>'
    )
