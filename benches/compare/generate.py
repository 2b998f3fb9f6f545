#!/usr/bin/env python3
"""Writes made-up Binance.US exports, the same bytes on every machine.

    generate.py ROWS FILES FOLDER

FOLDER/part-00000.csv and so on get ROWS rows each. What happens in them: of 100 rows 70 are trades on the order book, 15
staking rewards, 5 deposits, 5 withdrawals, 5 instant buys. The rows stand in the order of time but for two things that
real exports do: 3 of 100 stand up to an hour late, and the last 2 of 100 are one block of rewards whose times run through
the whole file again. Cells that a row does not use are `""`, all others bare; one note in 1,000 is quoted for its comma.
"""
import datetime
import pathlib
import random
import sys

SIDES = ("Primary", "Base", "Quote", "Fee")
HEADER = ["User_Id", "Time", "Category", "Operation", "Order_Id", "Transaction_Id"]
for side in SIDES:
    amount = f"Realized_Amount_For_{side}_Asset"
    HEADER += [f"{side}_Asset", amount, f"{amount}_In_USD_Value"]
HEADER += ["Payment_Method", "Withdrawal_Method", "Additional_Note"]

# What one costs in dollars, about.
PRICES = {
    "BTC": 30000.0, "ETH": 2000.0, "BNB": 300.0, "ADA": 0.5, "SOL": 40.0, "DOGE": 0.08, "LTC": 90.0, "XRP": 0.5,
    "MATIC": 0.9, "DOT": 6.0, "AVAX": 18.0, "ATOM": 10.0, "LINK": 7.0, "ALGO": 0.2, "VET": 0.02, "SUSHI": 1.1,
    "UNI": 6.0, "ONE": 0.02, "HNT": 2.5, "AUDIO": 0.3, "ZIL": 0.02, "SHIB": 0.00001, "BCH": 220.0, "ETC": 20.0,
    "XLM": 0.1, "EOS": 0.9, "QTUM": 3.0, "KSM": 25.0, "FIL": 5.0, "NEAR": 2.0,
}
COINS = list(PRICES)
STAKED = ["ETH", "SOL", "ADA", "DOT", "ATOM", "BNB", "AVAX", "KSM", "NEAR", "MATIC"]
QUOTES = ["USD", "USD", "USD", "USDT", "USDT", "BUSD", "BTC"]
NONE = ('""', '""', '""')

BEGIN_MS = int(datetime.datetime(2019, 10, 1, tzinfo=datetime.timezone.utc).timestamp()) * 1000
SPAN_MS = 1331 * 86_400_000
LATE_MS = 3_600_000


def plain(value, places):
    """A decimal without padding zeros."""
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


days = {}


def instant(ms):
    day, ms = divmod(ms, 86_400_000)
    if day not in days:
        days[day] = str(datetime.date(1970, 1, 1) + datetime.timedelta(day))
    seconds, ms = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{days[day]} {minutes // 60:02}:{minutes % 60:02}:{second:02}.{ms:03}"


def held(asset, value, price, places=8):
    """Three cells: asset, amount, worth in dollars."""
    return asset, plain(value / price, places), f"{value:.6f}"


def row(dice, number, ms, only_rewards):
    chance = dice.random
    what = 0.75 if only_rewards else chance()
    order, trade = 88_000_000 + 7 * number + dice.randrange(7), 880_000_000 + number
    primary = base = quote = fee = NONE
    way_in, way_out = "Wallet", '""'
    if what < 0.70:
        category, operation = "Spot Trading", "Buy" if chance() < 0.55 else "Sell"
        coin, money = dice.choice(COINS), dice.choice(QUOTES)
        if coin == money:
            coin = "ETH"
        price = PRICES[coin] * (0.6 + 0.8 * chance())
        value = 5 + 3000 * chance() ** 3
        base = held(coin, value, price, 8 if price > 100 else 4 if price > 0.01 else 1)
        quote = held(money, value, PRICES.get(money, 1.0))
        cost = 0.00075 * value
        fee = held("BNB", cost, PRICES["BNB"]) if chance() < 0.7 else held(coin, cost, price)
    elif what < 0.85:
        category, operation = "Distribution", "Staking Rewards"
        coin = dice.choice(STAKED)
        value = 0.0005 + 3 * chance() ** 4
        # Some wallets pay in all 18 digits, some take a fee back, and some rows lack their worth.
        asset, amount, worth = held(coin, value, PRICES[coin], 18 if coin == "ETH" and chance() < 0.3 else 8)
        primary = asset, "-" + amount if chance() < 0.01 else amount, worth if chance() < 0.98 else '""'
    elif what < 0.90:
        category, trade = "Deposit", order
        if chance() < 0.5:
            operation, way_in = "USD Deposit", dice.choice(("Debit", "ACH", "Wire"))
            dollars = str(dice.randrange(10, 5000))
            primary = "USD", dollars, dollars
        else:
            operation, coin = "Crypto Deposit", dice.choice(COINS)
            primary = held(coin, 20 + 5000 * chance() ** 2, PRICES[coin], 14 if coin == "ETH" else 8)
    elif what < 0.95:
        category, operation, trade, way_out = "Withdrawal", "Crypto Withdrawal", order, "Wallet"
        coin = dice.choice(COINS)
        primary = held(coin, 20 + 5000 * chance() ** 2, PRICES[coin])
        fee = held(coin, 1.0, PRICES[coin], 6)
    else:
        category, operation, order = "Quick Buy", "Buy", f"{dice.getrandbits(128):032x}"
        coin, paid = dice.choice(COINS), 10 + 500 * chance()
        cost = 0.005 * paid
        base = "USD", f"{paid:.4f}", f"{paid:.4f}"
        quote = held(coin, paid - cost, PRICES[coin])
        fee = "USD", f"{cost:.2f}", f"{cost:.2f}"
    note = '""' if chance() >= 0.001 else f'"by hand, see ticket {dice.randrange(100_000)}"'
    cells = ("35002704", instant(ms), category, operation, str(order), str(trade), *primary, *base, *quote, *fee, way_in, way_out, note)
    return ",".join(cells) + "\n"


def write(path, rows, nth, files):
    dice = random.Random(f"{nth} of {files}, {rows} rows")
    span = SPAN_MS // files
    begin = BEGIN_MS + nth * span
    if files > 1:
        span += span // 10  # a file and the next overlap
    rewards = rows // 50
    with open(path, "w", newline="") as out:
        out.write(",".join(HEADER) + "\n")
        number = nth * rows
        for count, only_rewards in ((rows - rewards, False), (rewards, True)):
            for index in range(count):
                ms = begin + int((index + dice.random()) * span / count)
                if not only_rewards and dice.random() < 0.03:
                    ms -= dice.randrange(LATE_MS)
                out.write(row(dice, number, ms, only_rewards))
                number += 1


def main():
    rows, files, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for nth in range(files):
        write(folder / f"part-{nth:05}.csv", rows, nth, files)


if __name__ == "__main__":
    main()
