#!/bin/sh
# Compares coinfold with Polars on the same export, in one command: benches/compare/run.sh [ROWS [PAIRS]]
#
#   coinfold      recognises the export, reads every amount and time exactly, gives each row a fate and each event an id,
#                 orders, proves the sums at both ends, and writes
#     ledger        one line for each leg
#     transactions  one line for each event, the layout that comes nearest to what Polars writes
#   Polars        polars_job.py: one line for each event by an expression made for this export, text in and text out
#
# Both on two threads. First the outputs are checked against each other (agree.py), then timed in turn (pair.py). Data,
# outputs and a Python environment with Polars go into `compare` in cargo's target folder; nothing else is touched.
set -eu

rows=${1:-1000000}
pairs=${2:-7}
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
mkdir -p "${CARGO_TARGET_DIR:-$tree/target}"
export CARGO_TARGET_DIR="$(cd "${CARGO_TARGET_DIR:-$tree/target}" && pwd)"
work=$CARGO_TARGET_DIR/compare
coinfold=$CARGO_TARGET_DIR/release/coinfold
export POLARS_MAX_THREADS=2

cargo build --release --quiet --manifest-path "$tree/Cargo.toml"
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
fi
python=$work/venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check polars==2.1.0
cd "$work"
export_folder=rows-$rows
if [ ! -d "$export_folder" ]; then
    rm -rf making
    "$python" "$here/generate.py" "$rows" 1 making
    mv making "$export_folder"
fi

ledger="$coinfold convert --quiet --threads 2 $export_folder/ -o ledger.csv"
transactions="$coinfold convert --quiet --threads 2 --to transactions $export_folder/ -o transactions.csv"
polars="$python $here/polars_job.py $export_folder/*.csv polars.csv"

# The words of a command are split here, as pair.py splits them: no path in them may hold a blank.
set -f
$ledger
$transactions
$polars
"$python" "$here/agree.py" "$rows" ledger.csv transactions.csv polars.csv

echo "| coinfold writes | pairs | wall s: coinfold | Polars | ratio | processor s: coinfold | Polars | ratio | peak MiB: coinfold | Polars |"
echo "|---|---|---|---|---|---|---|---|---|---|"
"$python" "$here/pair.py" ledger "$pairs" "$ledger" "$polars"
"$python" "$here/pair.py" transactions "$pairs" "$transactions" "$polars"
