#!/usr/bin/env bash
# Writes the table of exchanges in README.md anew, from the mappings.
set -euo pipefail
cd "$(dirname "$0")/.."
table=$(mktemp)
trap 'rm -f "$table"' EXIT
cargo run --release --quiet -- formats list --markdown > "$table"
sed -i -e "/<!-- exchanges -->/,/<!-- end of exchanges -->/{/<!-- exchanges -->/r $table
/<!-- exchanges -->/!{/<!-- end of exchanges -->/!d}}" README.md
