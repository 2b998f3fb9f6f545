#!/usr/bin/env python3
"""Writes made-up exports, the same bytes on every machine.

    generate.py SHAPE ROWS FILES FOLDER [--shuffle] [--seed N]

FOLDER/part-00000.csv and so on get ROWS rows each, in the shape of

    binance_us         Binance.US transactions: of 100 rows 70 are trades on the order book, 15 staking rewards, 5 deposits, 5
                       withdrawals, 5 instant buys. The rows stand in the order of time but for two things that real exports
                       do: 3 of 100 stand up to an hour late, and the last 2 of 100 are one block of rewards whose times run
                       through the whole file again. Cells that a row does not use are `""`, all others bare; one note in
                       1,000 is quoted for its comma.
    kraken_ledgers     Kraken ledgers of sixteen columns: of 100 events 70 are trades, two rows with one refid, 10 rewards of a
                       second wallet, 10 deposits, 10 withdrawals. The running balance of each wallet's asset holds, and
                       none is overdrawn. Oldest first.
    binance_statement  Binance statements: of 100 events 60 are trades, each of one to three fills in one second (two sides
                       and a fee), 25 interest, 6 deposits, 6 withdrawals, 3 small balances turned into BNB. Oldest first.

`--shuffle` puts the rows of each file in no order.
"""
import argparse
import datetime
import pathlib
import random

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


def binance_us(dice, rows, first, begin, span):
    """The lines of one file, its header first."""
    yield ",".join(HEADER) + "\n"
    rewards = rows // 50
    number = first
    for count, only_rewards in ((rows - rewards, False), (rewards, True)):
        for index in range(count):
            ms = begin + int((index + dice.random()) * span / count)
            if not only_rewards and dice.random() < 0.03:
                ms -= dice.randrange(LATE_MS)
            yield row(dice, number, ms, only_rewards)
            number += 1


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def letters(number, length):
    text = ""
    for _ in range(length):
        number, digit = divmod(number, 32)
        text = LETTERS[digit] + text
    return text


def kraken_id(first, number):
    """As in `LCC1OL-LATEX-0301AA`; no two of a run are the same."""
    text = letters(number * 0x9E3779B97F4A7C15 % 2**80, 16)
    return f"{first}{text[:5]}-{text[5:10]}-{text[10:]}"


class Pocket:
    """What one wallet holds of one asset, in the asset's smallest unit."""

    def __init__(self, asset, fiat, places, wallet):
        self.asset, self.places, self.wallet = asset, places, wallet
        self.price = 1.0 if fiat else PRICES[asset]
        self.subclass = "fiat" if fiat else "crypto"
        self.held = 0

    def units(self, value):
        return max(1, round(value / self.price * 10**self.places))

    def text(self, units):
        if units == 0:
            return "0"
        sign, units = "-" if units < 0 else "", abs(units)
        whole, part = divmod(units, 10**self.places)
        return f"{sign}{whole}.{part:0{self.places}}"

    def worth(self, units):
        return f"{units / 10**self.places * self.price:.4f}" if units else "0"


KRAKEN_HEADER = (
    "txid refid time type subtype aclass subclass asset wallet amount fee balance amountusd feeusd balanceusd feecurrency"
).split()


def kraken_ledgers(dice, rows, first, begin, span):
    yield ",".join(f'"{name}"' for name in KRAKEN_HEADER) + "\n"
    spot, earn = "spot / main", "earn / liquid"
    fiat = [Pocket("USD", True, 4, spot), Pocket("EUR", True, 4, spot)]
    coins = [Pocket(coin, False, 10, spot) for coin in COINS]
    staked = [Pocket(coin, False, 10, earn) for coin in STAKED]

    def line(number, refid, ms, kind, subtype, pocket, amount, fee):
        pocket.held += amount - fee
        assert pocket.held >= 0
        texts = [kraken_id("L", number), refid, f"{instant(ms)[:-4]}.{ms % 1000:03}0", kind, subtype, "currency",
                 pocket.subclass, pocket.asset, pocket.wallet]
        numbers = [pocket.text(units) for units in (amount, fee, pocket.held)]
        numbers += [pocket.worth(units) for units in (amount, fee, pocket.held)]
        return ",".join(f'"{text}"' for text in texts) + "," + ",".join(numbers) + f',"{pocket.asset}"\n'

    done = 0
    while done < rows:
        number = first + done
        ms = begin + done * span // rows
        refid = kraken_id("T", number)
        what = dice.random()
        value = 5 + 3000 * dice.random() ** 3
        if what < 0.70 and done + 2 <= rows:
            coin, money = dice.choice(coins), dice.choice(fiat)
            given, taken = (money, coin) if dice.random() < 0.55 else (coin, money)
            out, into = given.units(value), taken.units(value * (0.98 + 0.04 * dice.random()))
            fee = money.units(0.0026 * value)
            out_fee, in_fee = (fee, 0) if given is money else (0, fee)
            if given.held >= out + out_fee:
                yield line(number, refid, ms, "trade", "tradespot", given, -out, out_fee)
                yield line(number + 1, refid, ms, "trade", "tradespot", taken, into, in_fee)
                done += 2
                continue
        elif what < 0.80:
            pocket = dice.choice(staked)
            reward = pocket.units(0.01 + 3 * dice.random() ** 4)
            yield line(number, refid, ms, "earn", "reward", pocket, reward, reward // 10)
            done += 1
            continue
        elif what < 0.90:
            pocket = dice.choice(coins)
            out, fee = pocket.units(value), pocket.units(1.0)
            if pocket.held >= out + fee:
                yield line(number, refid, ms, "withdrawal", "", pocket, -out, fee)
                done += 1
                continue
        pocket = dice.choice(coins) if dice.random() < 0.5 else dice.choice(fiat)
        yield line(number, refid, ms, "deposit", "", pocket, pocket.units(value), 0)
        done += 1


def binance_statement(dice, rows, first, begin, span):
    # The exchange's files begin with a byte order mark.
    yield "\ufeffUser_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n"
    second_ms = 1000
    done, last = 0, 0

    def line(operation, coin, change, remark=""):
        return f"80334417,{time},Spot,{operation},{coin},{change},{remark}\n"

    while done < rows:
        # A second of its own for each event: the statement has no other sign of what belongs together. Three stay free, for the
        # windows in which the sides of a conversion are looked for.
        last = max(last + 4 * second_ms, begin + done * span // rows)
        time = instant(last)[:-4]
        what = dice.random()
        coin, value = dice.choice(COINS), 5 + 3000 * dice.random() ** 3
        price = PRICES[coin]
        lines = []
        if what < 0.60:
            money = "USDT" if dice.random() < 0.8 else "BUSD"
            side, sign = ("Buy", 1) if dice.random() < 0.55 else ("Sell", -1)
            for _ in range(dice.choice((1, 1, 1, 2, 3))):
                part = value * (0.2 + dice.random())
                lines.append(line(side, coin, f"{sign * part / price:.8f}"))
                lines.append(line(side, money, f"{-sign * part:.8f}"))
                lines.append(line("Fee", "BNB", f"{-0.00075 * part / PRICES['BNB']:.8f}"))
        elif what < 0.85:
            lines.append(line("Simple Earn Flexible Interest", dice.choice(STAKED), f"{0.00001 + dice.random():.8f}"))
        elif what < 0.91:
            lines.append(line("Deposit", coin, f"{value / price:.8f}"))
        elif what < 0.97:
            lines.append(line("Withdraw", coin, f"{-value / price:.8f}", "Withdraw fee is included"))
        else:
            dust = dice.sample([coin for coin in COINS if coin != "BNB"], 3)
            lines += [line("Small Assets Exchange BNB", each, f"{-0.5 / PRICES[each]:.8f}") for each in dust]
            lines.append(line("Small Assets Exchange BNB", "BNB", f"{1.4 / PRICES['BNB']:.8f}"))
        if done + len(lines) > rows:
            lines = [line("Deposit", coin, f"{value / price:.8f}")]
        yield from lines
        done += len(lines)


SHAPES = {shape.__name__: shape for shape in (binance_us, kraken_ledgers, binance_statement)}


def write(path, shape, rows, nth, files, seed, shuffle):
    dice = random.Random(f"{nth} of {files}, {rows} rows" + (f", seed {seed}" if seed != 1 else ""))
    span = SPAN_MS // files
    begin = BEGIN_MS + nth * span
    if files > 1:
        span += span // 10  # a file and the next overlap
    lines = SHAPES[shape](dice, rows, nth * rows, begin, span)
    if shuffle:
        header, *lines = lines
        random.Random(f"order of {nth}, seed {seed}").shuffle(lines)
        lines = [header, *lines]
    with open(path, "w", newline="", encoding="utf-8") as out:
        out.writelines(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("rows", type=int)
    parser.add_argument("files", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--shuffle", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    for nth in range(args.files):
        path = args.folder / f"part-{nth:05}.csv"
        write(path, args.shape, args.rows, nth, args.files, args.seed, args.shuffle)


if __name__ == "__main__":
    main()
