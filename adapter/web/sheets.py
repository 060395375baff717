"""Rows as CSV and as a workbook, made so that a spreadsheet never takes a cell for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

Cell = str | int | float | None
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet may run when a cell begins so (CSV injection); a space before it is skipped by some."""
BOM = "\ufeff"
"""Without it Excel reads Greek names as Latin ones."""
WIDEST, NARROWEST = 40, 8


def guarded(cell: Cell) -> Cell:
    """Text that looks like a formula gets an apostrophe; a number is a number."""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.startswith(FORMULA) or cell.lstrip().startswith(FORMULA) else cell


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return (BOM + file.getvalue()).encode()


def as_workbook(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], now: datetime) -> bytes:
    """One sheet, made in memory alone: nobody's name is left in a temporary file."""
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties({"title": title, "created": now.replace(tzinfo=None)})
    sheet = book.add_worksheet("Screening log")
    heading = book.add_format({"bold": True})
    for column, name in enumerate(columns):
        sheet.write_string(0, column, name, heading)
        sheet.set_column(column, column, min(WIDEST, max(NARROWEST, len(name) + 2)))
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            _write(sheet, number, column, guarded(cell))
    sheet.freeze_panes(1, 1)
    book.close()
    return file.getvalue()


def _write(sheet: "Worksheet", row: int, column: int, cell: Cell) -> None:
    if isinstance(cell, str):
        sheet.write_string(row, column, cell)
    elif cell is not None:
        sheet.write_number(row, column, cell)
