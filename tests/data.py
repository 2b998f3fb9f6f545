#!/usr/bin/env python3
"""Reads the data layouts back with other people's readers and compares them with the ledger as CSV.

    tests/data.py [PATH OF coinfold] [FOLDER OF EXPORTS]

Needs `pip install duckdb pyarrow openpyxl`. Ends with 1 on any difference.
"""

import csv
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from decimal import Decimal, localcontext
from pathlib import Path

import duckdb
import openpyxl
import pyarrow.parquet

ROOT = Path(__file__).resolve().parent.parent
COINFOLD = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "target/release/coinfold")
EXPORTS = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "samples")

# More digits than any sum can have: nothing is rounded.
DIGITS = 200

problems = 0
checks = 0


def convert(output, *options, code=0, exports=EXPORTS):
    command = [COINFOLD, "convert", exports, "--allow-rejected", "--quiet", "-o", str(output), *options]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != code:
        sys.exit(f"{' '.join(command)} ended with {run.returncode}, not {code}:\n{run.stderr}")
    return run.stderr


def sums(legs):
    """Sums of (account, asset, amount), by account and asset."""
    total = defaultdict(Decimal)
    for account, asset, amount in legs:
        total[account, asset] += Decimal(amount)
    return dict(total)


def compare(what, found, expected):
    global problems, checks
    checks += 1
    wrong = sorted(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
    for key in wrong[:5]:
        print(f"{what}: {key}: {found.get(key)}, and the ledger says {expected.get(key)}")
    problems += bool(wrong)
    print(f"{what}: {len(expected)} sums, {'the same' if not wrong else f'{len(wrong)} differ'}")


def expect(what, found, expected):
    global problems, checks
    checks += 1
    problems += found != expected
    print(f"{what}: {found}" + ("" if found == expected else f", expected {expected}"))


def same_cells(what, found, expected):
    """Rows of cells, of which None and "" are the same."""
    found = [["" if cell is None else str(cell) for cell in row] for row in found]
    expected = [list(row) for row in expected]
    differ = [nth for nth, rows in enumerate(zip(found, expected)) if rows[0] != rows[1]]
    if differ:
        print(f"{what}: row {differ[0]}: {found[differ[0]]}\n  the ledger: {expected[differ[0]]}")
    expect(f"{what}, rows that differ", (len(found), len(differ)), (len(expected), 0))


def check_json(path, expected):
    legs = [json.loads(line) for line in path.open(encoding="utf-8")]
    compare("JSON Lines", sums((leg["account"], leg["asset"], leg["amount"]) for leg in legs), expected)


def check_sqlite(path, ledger, expected):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    legs = database.execute("SELECT account, asset, amount FROM legs")
    compare("SQLite, legs", sums(legs), expected)
    view = {(account, asset): Decimal(amount) for account, asset, amount, _ in database.execute("SELECT * FROM balances")}
    compare("SQLite, view of balances", view, expected)
    same_cells("SQLite, view of the ledger", database.execute("SELECT * FROM ledger"), (row.values() for row in ledger))
    moved = []
    for row in database.execute("SELECT * FROM transactions"):
        account = row[2]
        for sign, amount, asset in ((-1, row[3], row[4]), (1, row[5], row[6]), (-1, row[7], row[8])):
            if asset is not None:
                moved.append((account, asset, sign * Decimal(amount)))
    compare("SQLite, view of transactions", sums(moved), expected)
    expect("SQLite, integrity", database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
    expect("SQLite, foreign keys", database.execute("PRAGMA foreign_key_check").fetchall(), [])
    database.close()


def check_workbook(path, expected):
    workbook = openpyxl.load_workbook(path, read_only=True)
    expect(
        "workbook, sheets",
        workbook.sheetnames,
        ["ledger", "transactions", "rejected", "summary", "balances"],
    )

    def text(cell):
        # A number of a workbook is the decimal that its shortest text says.
        return repr(cell) if isinstance(cell, float) else str(cell)

    def name(cell):
        return cell.removeprefix("'")

    rows = workbook["ledger"].iter_rows(min_row=2, values_only=True)
    compare("workbook, ledger", sums((name(row[3]), name(row[4]), text(row[5])) for row in rows), expected)
    rows = workbook["balances"].iter_rows(min_row=2, values_only=True)
    compare("workbook, balances", sums((name(row[0]), name(row[1]), text(row[2])) for row in rows), expected)
    workbook.close()


def check_parquet(path, expected, amount_type):
    table = pyarrow.parquet.read_table(path)
    expect(f"pyarrow, type of amount in {path.name}", str(table.schema.field("amount").type), amount_type)
    columns = [table.column(name).to_pylist() for name in ("account", "asset", "amount")]
    compare(f"pyarrow, {path.name}", sums(zip(*columns)), expected)
    if amount_type == "string":
        query = "SELECT account, asset, amount FROM read_parquet(?)"
    else:
        query = "SELECT account, asset, sum(amount) FROM read_parquet(?) GROUP BY ALL"
    compare(f"DuckDB, {path.name}", sums(duckdb.execute(query, [str(path)]).fetchall()), expected)


def same_times(path, ledger):
    """DuckDB's instants, in nanoseconds, are the texts' of the CSV."""
    found = [ns for (ns,) in duckdb.execute("SELECT epoch_ns(time) FROM read_parquet(?)", [str(path)]).fetchall()]
    texts = [row["time"].removesuffix("Z") for row in ledger]
    expected = [ns for (ns,) in duckdb.execute("SELECT epoch_ns(unnest(?)::TIMESTAMP_NS)", [texts]).fetchall()]
    expect("DuckDB, instants that differ", (len(found), sum(a != b for a, b in zip(found, expected))), (len(expected), 0))


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def main():
    with tempfile.TemporaryDirectory() as folder, localcontext() as context:
        context.prec = DIGITS
        folder = Path(folder)
        for name in ("ledger.csv", "ledger.jsonl", "ledger.sqlite", "ledger.xlsx"):
            convert(folder / name)
        convert(folder / "text.parquet", "--amounts", "text")
        ledger = read_csv(folder / "ledger.csv")
        expected = sums((row["account"], row["asset"], row["amount"]) for row in ledger)
        check_json(folder / "ledger.jsonl", expected)
        check_sqlite(folder / "ledger.sqlite", ledger, expected)
        check_workbook(folder / "ledger.xlsx", expected)
        check_parquet(folder / "text.parquet", expected, "string")
        same_times(folder / "text.parquet", ledger)
        check_decimals(folder, ledger)
    print(f"{checks} checks, {problems} with differences")
    sys.exit(1 if problems or checks < 15 else 0)


def check_decimals(folder, ledger):
    """Parquet with decimals, of each report whose amounts all fit."""

    def fits(number):
        whole, _, fraction = number.lstrip("-").partition(".")
        return len(whole) <= 20 and len(fraction) <= 18

    formats = sorted({row["format"] for row in ledger})
    for name in formats:
        exports = str(Path(EXPORTS) / name)
        if not Path(exports).is_dir():
            continue
        alone = folder / "alone.csv"
        convert(alone, exports=exports)
        of_format = read_csv(alone)
        path = folder / f"{name.replace('/', '-')}.parquet"
        if all(fits(row["amount"]) and fits(row["value"]) for row in of_format):
            convert(path, exports=exports)
            expected = sums((row["account"], row["asset"], row["amount"]) for row in of_format)
            check_parquet(path, expected, "decimal128(38, 18)")
        else:
            told = convert(path, code=6, exports=exports)
            expect(f"{name}: refused, and text offered", "--amounts text" in told, True)
            expect(f"{name}: nothing written", path.exists(), False)


main()
