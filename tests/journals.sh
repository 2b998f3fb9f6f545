#!/usr/bin/env bash
# Writes journals of all samples and lets the programs judge that they are for: each must accept them at its strictest, and
# must come to the balances of our own ledger, account by account and asset by asset.
#
# tests/journals.sh [path of coinfold]
# Needs hledger, ledger, and bean-check in a Python that has beancount.
set -euo pipefail
cd "$(dirname "$0")/.."

coinfold=$(realpath "${1:-target/release/coinfold}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program in "$coinfold" hledger ledger bean-check python3; do
    command -v "$program" >/dev/null || { echo "$program is not there" >&2; exit 2; }
done
# The Python that bean-check runs in has beancount.
bean_python=$(sed -n '1s/^#! *//p' "$(command -v bean-check)")

# Compares balances: target, ledger.csv, what the program says (an account, a tab, an amount, a tab and a commodity on each line).
cat >"$work/compare.py" <<'PYTHON'
import collections, csv, decimal, re, sys

target, ledger, told, renamed = sys.argv[1:]
decimal.getcontext().prec = 100


def part(text):
    """A part of an account's name, worked out anew."""
    if target == "beancount":
        text = re.sub(r"[^\w-]|_", "-", text)
        text = text[:1].upper() + text[1:]
        return text if re.match("[A-Z0-9À-ÖØ-ÞΑ-ΩА-Я]", text) else "X" + text
    text = re.sub(r" +", " ", re.sub(r"[^\w .#'-]", "-", text)).strip()
    return text if re.match(r"\w", text) else "X" + text


names = dict(line.rstrip("\n").split("\t") for line in open(renamed, encoding="utf-8"))
root = "assets" if target == "hledger" else "Assets"
ours = collections.defaultdict(decimal.Decimal)
for row in csv.DictReader(open(ledger, newline="", encoding="utf-8")):
    parts = [part(text) for text in re.split("[/:]", row["account"]) if text.strip()]
    account = ":".join([root, *parts, part(row["asset"])])
    asset = row["asset"]
    if target != "beancount":
        asset = re.sub('["]' if target == "ledger" else '[";]', "-", asset)
    if target == "ledger" and asset in ("s", "m", "h"):
        asset = "X" + asset
    ours[account, asset] += decimal.Decimal(row["amount"])
theirs = collections.defaultdict(decimal.Decimal)
for line in open(told, encoding="utf-8"):
    account, amount, commodity = line.rstrip("\n").split("\t")
    if decimal.Decimal(amount):
        theirs[account, names.get(commodity, commodity)] += decimal.Decimal(amount)
wrong = [
    f"{account} {asset}: {ours.get((account, asset), 0)} in our ledger, {theirs.get((account, asset), 0)} in the journal"
    for account, asset in sorted(ours.keys() | theirs.keys())
    if ours.get((account, asset), 0) != theirs.get((account, asset), 0)
]
print(*wrong, sep="\n", end="\n" if wrong else "")
if not ours:
    sys.exit("there is nothing in the ledger")
print(len(ours), file=open(told + ".count", "w"))
sys.exit(bool(wrong))
PYTHON

cat >"$work/bean.py" <<'PYTHON'
import sys
from beancount import loader
from beancount.core import data, realization

entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors
with open(sys.argv[2], "w", encoding="utf-8") as told:
    for account in realization.iter_children(realization.realize(entries)):
        if account.account.startswith("Assets:"):
            for position in account.balance:
                print(account.account, format(position.units.number, "f"), position.units.currency, sep="\t", file=told)
with open(sys.argv[3], "w", encoding="utf-8") as renamed:
    for entry in entries:
        if isinstance(entry, data.Commodity) and "name" in entry.meta:
            print(entry.currency, entry.meta["name"], sep="\t", file=renamed)
PYTHON

# What each program makes of a journal, into told.tsv; codes that it knows by another name, into renamed.tsv.
of_hledger() {
    hledger -f "$1" check
    hledger -f "$1" check --strict
    hledger -f "$1" balance '^assets:' --flat --empty --no-total --layout=bare -O csv >"$work/told.csv"
    python3 - "$work/told.csv" >"$work/told.tsv" <<'PYTHON'
import csv, sys

for row in csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")):
    print(row["account"], row["balance"], row["commodity"].strip('"'), sep="\t")
PYTHON
}

of_ledger() {
    ledger -f "$1" --pedantic balance >/dev/null
    ledger -f "$1" --pedantic balance '^Assets:' --flat --empty --no-total \
        --balance-format '%(account)\t%(scrub(display_total))\n' >"$work/told.txt"
    python3 - "$work/told.txt" >"$work/told.tsv" <<'PYTHON'
import sys

account = None
for line in open(sys.argv[1], encoding="utf-8"):
    # Further commodities of an account stand on lines of their own.
    *before, amounts = line.rstrip("\n").split("\t")
    account = before[0] if before else account
    # An amount of nothing is blank.
    amount, _, commodity = (amounts.strip() or "0").partition(" ")
    print(account, amount, commodity.strip('"'), sep="\t")
PYTHON
}

of_beancount() {
    bean-check "$1"
    "$bean_python" "$work/bean.py" "$1" "$work/told.tsv" "$work/renamed.tsv"
}

# A ledger made to break journals: each text, name and number that has a meaning in one of them.
mkdir "$work/made"
python3 - >"$work/made/hard.csv" <<'PYTHON'
import csv, sys

out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow("event time kind account asset amount role value value_currency order_id trade_id tx_hash address note".split())
texts = [
    'say "x" \\ and \\" more', "a, b: c, date:2020-13-45", "two\nlines\r\n\tand  blanks", "; comment", "[2020/99/99] [=2020] [2021-01-01]",
    "key:: (1/0)", ":a:b:c:", "| pipe #tag ^link {lot} @ 5 @@ 6", "*", "! (code) = 5", "ünï 日本 \u2028 \u00a0 e\u0301 🦀", "x" * 5000, '"', "\\", "%(total) $5",
    "include /etc/passwd", "end comment", "Payee: other",
]
accounts = [
    "Plain", "Plain/sub", "Plain/sub/deeper", "a;b|c", "(virtual)/[x]", '"q" \\', "ünï/日本", "日本-x", "łódź", "two  blanks / edge ", "*star/!mark", "1st/2nd", "x:y/z_z",
    "é/🦀", "D'Or & Co. #1", "@at/{brace}", "%p/$d",
]
assets = [
    "BTC", "s", "m", "h", "TRUE", "NULL", "1INCH", "G", "NFT #7; \"x\"", "Long Collection Name #88110477302914", "Long Collection Name #88110477302915",
    "USDC.e", "A-B_C", "and", "{x}", "@yz", "%", "日本", "EUR",
]
event = 0


def write(kind, legs, text=""):
    global event
    event += 1
    for account, asset, amount, role in legs:
        day = f"2021-01-{event // 24 % 28 + 1:02}T{event % 24:02}:00:00Z"
        out.writerow([f"{event:016x}", day, kind, account, asset, amount, role, "5", "EUR", text, text, text, text, text])


for text in texts:
    write("deposit", [("Plain", "EUR", "100", "main")], text)
for account in accounts:
    write("income", [(account, "EUR", "1000", "main")])
    write("trade", [(account, "EUR", "-100", "main"), (account, "BTC", "3", "main"), (account, "EUR", "-0.1", "fee")])
for asset in assets:
    write("airdrop", [("Plain", asset, "5000.000000000000000001", "main")])
    write("trade", [("Plain", asset, "-7", "main"), ("Plain", "ETH", "1", "main")])
    write("trade", [("Plain", asset, "-1", "main"), ("Plain", "ETH", "-1", "main"), ("Plain/sub", "SOL", "3", "main")])
for paid in ["1", "0.000000000000000001", "1234567890.123456789012345678", "123456789012345678901234567", "99999999999999999999999.99"]:
    for got in ["3", "7.000000000000000003", "0.000000000000000007", "1234567890123456789"]:
        account = f"Wide {paid} {got}"     # of its own, so that its sums fit
        write("trade", [(account, "EUR", "-" + paid, "main"), (account, "SOL", got, "main")])
        write("trade", [(account, "EUR", paid, "main"), (account, "SOL", "-" + got, "main")])
for kind in ["deposit", "trade", "transfer", "fee"]:
    write(kind, [("Plain", "EUR", "0", "main")])
    write(kind, [("Plain", "EUR", "0", "main"), ("Plain", "BTC", "5", "main")])
    write(kind, [("Plain", "EUR", "-1", "fee")])
write("transfer", [("Plain", "EUR", "-5", "main"), ("Plain/sub", "EUR", "4", "main"), ("Plain/sub", "EUR", "0.5", "fee")])
PYTHON

failures=0
balances=0
judge() {
    local folder=$1 target=$2 journal=$work/journal.$2
    rm -f "$journal"
    : >"$work/renamed.tsv"
    if "$coinfold" --quiet convert "$folder" --to "$target" -o "$journal" --allow-rejected --lossy &&
        "of_$target" "$journal" &&
        python3 "$work/compare.py" "$target" "$work/ledger.csv" "$work/told.tsv" "$work/renamed.tsv"; then
        balances=$((balances + $(cat "$work/told.tsv.count")))
    else
        echo "✗ $target: $folder" >&2
        failures=$((failures + 1))
    fi
}

for folder in samples/*/*/ samples/ "$work/made/hard.csv"; do
    rm -f "$work/ledger.csv"
    "$coinfold" --quiet convert "$folder" -o "$work/ledger.csv" --allow-rejected
    for target in hledger ledger beancount; do
        judge "$folder" "$target"
    done
done
if [ "$failures" -gt 0 ]; then
    echo "$failures journals are wrong" >&2
    exit 1
fi
echo "✔ every journal is accepted, $balances balances are equal"
