#!/usr/bin/env python3
"""Checks that outputs tell the same, before anybody times how long they took.

    agree.py EVENTS OURS THEIRS [LEDGER]

OURS are transactions that coinfold wrote, THEIRS what another program wrote for the same export; both stand in the order of
time. Row by row, what was sent, received and paid as fee, and what that was worth, must be the same to the last digit; rows of
one instant may stand in any order, and words for what happened are each program's own. LEDGER is ours as a line for each leg: it
must have as many events, and of each asset the same sum. EVENTS is how many there must be. Memory does not grow with the files.
"""
import csv
import decimal
import itertools
import sys
from collections import defaultdict

Decimal = decimal.Decimal
# A sum that is not exact is an error, not a rounded number.
decimal.setcontext(decimal.Context(prec=200, traps=[decimal.Inexact, decimal.InvalidOperation]))
SIDES = (("sent", -1), ("received", 1), ("fee", -1))
# How BittyTax names what all others name alike. Without `value`: it states one for each side.
BITTYTAX = {
    "sent_amount": "Sell Quantity", "sent_asset": "Sell Asset", "received_amount": "Buy Quantity", "received_asset": "Buy Asset",
    "fee_amount": "Fee Quantity", "fee_asset": "Fee Asset",
}
NAMES = [*BITTYTAX, "value"]


def plain(text):
    """An amount's canonical text: equal amounts have equal texts."""
    if not text:
        return ""
    text = f"{Decimal(text):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def events(path, names):
    """(instant, cells) for each row."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = {name: at for at, name in enumerate(next(rows))}
        bittytax = "Sell Quantity" in header
        places = [header[BITTYTAX[name] if bittytax else name] for name in names]
        time = header["Timestamp" if bittytax else "time"]
        for row in rows:
            # Asset without an amount and the other way round would be seen: a cell stands for itself.
            cells = tuple(row[at] if name.endswith("asset") else plain(row[at]) for name, at in zip(names, places))
            instant = row[time].removesuffix("Z").removesuffix(" UTC").replace("T", " ")
            # Milliseconds are written by some only where there are any.
            yield (instant[:19], (instant[20:] + "000")[:3]), cells


def by_instant(rows):
    for instant, group in itertools.groupby(rows, key=lambda row: row[0]):
        yield instant, sorted(cells for _, cells in group)


def compare(ours, theirs):
    """How many events, and the sum of each asset; ends the process where the two tell different things."""
    with open(theirs, newline="", encoding="utf-8") as file:
        header = file.readline()
    names = [name for name in NAMES if name in BITTYTAX and "Sell Quantity" in header or name in header]
    count, sums = 0, defaultdict(Decimal)
    pairs = itertools.zip_longest(by_instant(events(ours, names)), by_instant(events(theirs, names)))
    for our, their in pairs:
        if our != their:
            sys.exit(f"the outputs do not agree: no time of theirs means anything\n{ours}: {our}\n{theirs}: {their}")
        for cells in our[1]:
            count += 1
            for at, (_, sign) in enumerate(SIDES):
                amount, asset = cells[2 * at], cells[2 * at + 1]
                if amount:
                    sums[asset] += sign * Decimal(amount)
    return count, sums


def ledger(path):
    count, last, sums = 0, None, defaultdict(Decimal)
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        event, asset, amount = (header.index(name) for name in ("event", "asset", "amount"))
        for row in rows:
            # The legs of an event stand together.
            count += row[event] != last
            last = row[event]
            sums[row[asset]] += Decimal(row[amount])
    return count, sums


def main():
    wanted, ours, theirs, *ledgers = sys.argv[1:]
    count, sums = compare(ours, theirs)
    if count != int(wanted):
        sys.exit(f"{count} events, and not {wanted}: no time of theirs means anything")
    for path in ledgers:
        if ledger(path) != (count, sums):
            sys.exit(f"{path} does not agree with {ours}: no time of theirs means anything")
    print(f"{theirs} agrees: {count} events, every amount the same, {sums['BTC']:f} BTC in all", file=sys.stderr)


main()
