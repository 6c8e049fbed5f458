"""placeholder"""


def write_report(stage, slug):
    return ""


def print_report(stage, report_id):
    from pathlib import Path

    return Path("x"), Path("y")
