#!/usr/bin/env python3
"""Checks that outputs tell the same: as many events, and as much BTC received.

    agree.py EVENTS OUTPUT…

An output is a ledger (a row for each leg) or has a row for each event. EVENTS is how many there must be.
"""
import csv
import decimal
import sys

decimal.getcontext().prec = 60


def told(path):
    """How many events, and how much BTC came in other than by a rebate."""
    events, received, last = 0, decimal.Decimal(0), None
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if "received_asset" in row:
                events += 1
                asset, amount = row["received_asset"], row["received_amount"]
            else:
                # The legs of an event stand together.
                events += row["event"] != last
                last = row["event"]
                came_in = row["role"] == "main" and not row["amount"].startswith("-")
                asset, amount = row["asset"] if came_in else "", row["amount"]
            if asset == "BTC":
                received += decimal.Decimal(amount)
    return events, received.normalize()


wanted, paths = int(sys.argv[1]), sys.argv[2:]
found = {path: told(path) for path in paths}
for path, (events, received) in found.items():
    print(f"{path}: {events} events, {received:f} BTC received", file=sys.stderr)
if len(set(found.values())) != 1 or any(events != wanted for events, _ in found.values()):
    sys.exit("the outputs do not agree: no time of theirs means anything")
