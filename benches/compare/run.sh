#!/bin/sh
# Holds coinfold against its goals and against other programs, in one command:
#
#   benches/compare/run.sh              exports of 1,000,000 rows: some 20 minutes, and 1 GB of disk
#   benches/compare/run.sh --full       also of 10,000,000 rows: more than an hour, and 10 GB
#   benches/compare/run.sh --quick      every line with little data, once: whether it works; its numbers mean nothing
#   … --pairs N                         so many pairs of runs (7); --only LINE (again and again): these lines alone
#
#   coinfold        recognises the export, reads every amount and time exactly, gives each row a fate and each event an id,
#                   orders, proves the sums at both ends, and writes
#     ledger        one line for each leg
#     transactions  one line for each event, the layout that comes nearest to what the others write
#   Polars, DuckDB  polars_job.py, duckdb_job.py: one line for each event by an expression made for this export. `str`: text in
#                   and text out, nothing checked; `typednorm`: decimals and times are read and written
#   BittyTax        converts the same export to a table of its own, on one thread, as it always works
#
# All but BittyTax on two threads. First the outputs are checked against each other (agree.py), then timed in turn (pair.py).
# Below the table stands what the machine can do at best (roofline.py).
# Data, outputs and a Python environment with the others go into `compare` in cargo's target folder; nothing else is touched.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
mkdir -p "${CARGO_TARGET_DIR:-$tree/target}"
CARGO_TARGET_DIR="$(cd "${CARGO_TARGET_DIR:-$tree/target}" && pwd)"
work=$CARGO_TARGET_DIR/compare
export CARGO_TARGET_DIR POLARS_MAX_THREADS=2

cargo build --release --quiet --manifest-path "$tree/Cargo.toml"
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
    python3 -m venv "$work/venv"
fi
python=$work/venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check duckdb==2.0.0 polars==2.1.0
"$python" -m pip install --quiet --disable-pip-version-check bittytax==0.6.0 || true
cd "$work"
exec "$python" "$here/compare.py" --coinfold "$CARGO_TARGET_DIR/release/coinfold" "$@"
