#!/usr/bin/env bash
# Writes anew what is made from the mappings and targets: the tables in README.md, the pages of docs/targets/ and docs/exchanges/.
set -euo pipefail
cd "$(dirname "$0")/.."
# Only what stands in this tree counts, not what a person has in a folder of their own.
export XDG_CONFIG_HOME=/nonexistent
# A binary that is built already can be named.
coinfold=${COINFOLD:-}
if [ -z "$coinfold" ]; then
  cargo build --release --quiet
  coinfold=target/release/coinfold
fi

# table MARK FILE: puts a file between the marks of README.md.
table() {
  sed -i -e "/<!-- $1 -->/,/<!-- end of $1 -->/{/<!-- $1 -->/r $2
/<!-- $1 -->/!{/<!-- end of $1 -->/!d}}" README.md
}
text=$(mktemp)
trap 'rm -f "$text"' EXIT
"$coinfold" formats list --markdown > "$text"
table exchanges "$text"
"$coinfold" targets list --markdown > "$text"
table targets "$text"

mkdir -p docs/targets
rm -f docs/targets/*.md
for id in $("$coinfold" targets list --json | grep -o '"id": "[^"]*"' | cut -d'"' -f4); do
  "$coinfold" targets show "$id" --markdown > "docs/targets/$id.md"
done

mkdir -p docs/exchanges
rm -f docs/exchanges/*.md
for exchange in $("$coinfold" formats list --json | grep -o '"id": "[^"/]*' | cut -d'"' -f4 | sort -u); do
  "$coinfold" formats show "$exchange" --markdown > "docs/exchanges/$exchange.md"
done
