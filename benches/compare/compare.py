#!/usr/bin/env python3
"""Holds coinfold against its goals and prints them as a table. `run.sh` prepares what this needs, and says what the options mean.

Outputs are checked before anything is timed (`agree.py`). Nothing big is held here: what a child process reports as its
peak of memory begins with that of the process that started it.
"""
import argparse
import hashlib
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Callable, Optional

import pair

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1 << 20


@dataclass
class Size:
    """Rows of each kind of input."""
    one: int
    files: int
    rows_per_file: int
    small: int
    big: int


USUAL = Size(one=1_000_000, files=1000, rows_per_file=1000, small=100_000, big=10_000_000)
QUICK = Size(one=20_000, files=40, rows_per_file=100, small=5_000, big=60_000)


@dataclass
class Goal:
    """One line of the table. `goal` is the most that the ratio may be, or the least if `at_least`, or the most milliseconds of
    ours where there is nobody to compare with."""
    id: str
    job: str
    against: str
    measure: Callable
    goal: Optional[float]
    at_least: bool = False
    peak_mib: Optional[float] = None


class Bench:
    def __init__(self, args):
        self.args = args
        self.size = QUICK if args.quick else USUAL
        self.pairs = args.pairs or (1 if args.quick else 7)
        self.python = sys.executable
        self.coinfold = args.coinfold
        self.agreed = set()
        generator = (HERE / "generate.py").read_bytes()
        # Data of another generator are other data.
        self.data = pathlib.Path("data-" + hashlib.sha256(generator).hexdigest()[:12])
        help_text = subprocess.run([self.coinfold, "convert", "--help"], capture_output=True, text=True, check=True).stdout
        self.knows_memory = "--memory" in help_text

    # What is read.

    def export(self, shape, rows, files=1, shuffle=False):
        """A folder of exports, made where it does not exist yet."""
        folder = self.data / f"{shape}-{files}x{rows}{'-shuffled' if shuffle else ''}"
        if not folder.exists():
            making = self.data / "making"
            shutil.rmtree(making, ignore_errors=True)
            told(f"making {folder}")
            words = [self.python, HERE / "generate.py", shape, str(rows), str(files), making] + ["--shuffle"] * shuffle
            subprocess.run(words, check=True)
            making.rename(folder)
        return folder

    def small_files(self):
        """40 exports of a few rows, of three exchanges."""
        folder = self.data / "small"
        if not folder.exists():
            making = self.data / "making"
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            for shape, files in (("binance_us", 20), ("kraken_ledgers", 10), ("binance_statement", 10)):
                subprocess.run([self.python, HERE / "generate.py", shape, "25", str(files), making / shape], check=True)
            making.rename(folder)
        return folder

    # What is run.

    def ours(self, export, layout, threads=2, memory=None):
        words = [self.coinfold, "convert", "--quiet", "--threads", str(threads)]
        if memory and self.knows_memory:
            words += ["--memory", memory]
        return words + ["--to", layout, f"{export}/", "-o", f"ours-{layout}.csv"]

    def polars(self, export, variant):
        return [self.python, str(HERE / "polars_job.py"), f"{export}/*.csv", f"polars-{variant}.csv", variant]

    def duckdb(self, export, variant):
        return [self.python, str(HERE / "duckdb_job.py"), f"{export}/*.csv", f"duckdb-{variant}.csv", variant, "2"]

    def bittytax(self, export):
        # Dollars are its own currency then, so it needs no rates and asks nobody for any.
        home = pathlib.Path("bittytax-home").absolute()
        (home / ".bittytax").mkdir(parents=True, exist_ok=True)
        (home / ".bittytax" / "bittytax.conf").write_text("local_currency: USD\ndata_source_fiat: []\n")
        program = str(pathlib.Path(self.python).parent / "bittytax_conv")
        file = f"{export}/part-00000.csv"
        words = ["env", f"HOME={home}", program, file, "--format", "CSV", "--sort", "-o", "bittytax.csv"]
        # It writes over no file, but beside it under another name.
        return ["sh", "-c", f"rm -f bittytax.csv && exec {shlex.join(words)}"]

    def peer(self, name, export):
        """The command, and where it writes."""
        program, *variant = name.split()
        if program == "BittyTax":
            return self.bittytax(export), "bittytax.csv"
        words = {"Polars": self.polars, "DuckDB": self.duckdb}[program](export, *variant)
        return words, words[3]

    # What is measured. Each gives back (our runs, their runs, what to say).

    def against_peer(self, name, export, events, layout, memory=None):
        theirs, output = self.peer(name, export)
        ours = self.ours(export, layout, memory=memory)
        if (name, export, layout) not in self.agreed:
            outputs = [self.ours(export, "transactions", memory=memory)] + [ours] * (layout != "transactions") + [theirs]
            for words in outputs:
                pair.run(words)
            ledger = ["ours-csv.csv"] if layout == "csv" else []
            words = [self.python, HERE / "agree.py", str(events), "ours-transactions.csv", output, *ledger]
            if subprocess.run(words).returncode != 0:
                sys.exit(1)
            self.agreed.add((name, export, layout))
        return (*pair.in_turn(self.pairs, lambda: pair.run(ours), lambda: pair.run(theirs)), "")

    def per_row(self, shape, rows):
        """A report of ours against the report of the other lines, as many rows."""
        ours = self.ours(self.export(shape, rows), "csv")
        theirs = self.ours(self.export("binance_us", rows), "csv")
        return (*pair.in_turn(self.pairs, lambda: pair.run(ours), lambda: pair.run(theirs)), "")

    def threads(self, export):
        """One thread against two: how many times faster two are."""
        one, two = (self.ours(export, "transactions", threads=threads) for threads in (1, 2))
        return (*pair.in_turn(self.pairs, lambda: pair.run(one), lambda: pair.run(two)), "")

    def alone(self, words):
        pair.run(words)
        return [pair.run(words) for _ in range(max(15, self.pairs))], None, ""

    def limited(self, export, limit_mib):
        """Under a limit of memory from outside, once, and the same bytes as without."""
        words = self.ours(export, "transactions")
        pair.run(words)
        os.replace("ours-transactions.csv", "unlimited.csv")
        by, limiter = limit(limit_mib * MIB)
        inside = self.ours(export, "transactions", memory=f"{limit_mib * 3 // 4}M")
        runs = [pair.run(limiter + inside)]
        if subprocess.run(["cmp", "ours-transactions.csv", "unlimited.csv"]).returncode != 0:
            raise pair.Failed("under the limit the output is another")
        return runs, None, f"by {by}"

    def goals(self):
        size, goals = self.size, []

        def peer(id, name, export, events, layout, goal, **more):
            job = f"{more.pop('job')} → {'ledger' if layout == 'csv' else layout}"
            memory = more.pop("memory", None)
            # The data are made when their turn comes.
            goals.append(Goal(id, job, name, lambda: self.against_peer(name, self.export(*export), events, layout, memory), goal, **more))

        one = ("binance_us", size.one)
        text = f"{size.one:,} rows, 1 file"
        peer("1m-polars", "Polars str", one, size.one, "transactions", 0.25, job=text)
        peer("1m-duckdb", "DuckDB typednorm", one, size.one, "transactions", 0.12, job=text)
        peer("1m-ledger", "Polars str", one, size.one, "csv", 0.50, job=text)
        if self.args.full:
            peer("1m-polars-typed", "Polars typednorm", one, size.one, "transactions", None, job=text)
            peer("1m-duckdb-str", "DuckDB str", one, size.one, "transactions", None, job=text)
        text = f"{size.files:,} files × {size.rows_per_file:,} rows"
        many = ("binance_us", size.rows_per_file, size.files)
        peer("files", "Polars str", many, size.files * size.rows_per_file, "transactions", 0.20, job=text)
        shuffled = ("binance_us", size.one, 1, True)
        peer("shuffled", "Polars str", shuffled, size.one, "transactions", 0.40, job=f"{size.one:,} shuffled rows")
        if self.args.full or self.args.quick:
            big, text = ("binance_us", size.big), f"{size.big:,} rows"
            more = {"job": text, "peak_mib": 400, "memory": "350M"}
            peer("10m", "Polars str", big, size.big, "transactions", 0.30, **more)
            peer("10m-ledger", "Polars str", big, size.big, "csv", 0.60, **more)
            limited = Goal("256mb", f"{text} → transactions, 256 MB at most", "", lambda: self.limited(self.export(*big), 256), None,
                           peak_mib=256)
            goals.append(limited)
        text = f"{size.one:,} rows"
        goals.append(Goal("threads", f"{text} → transactions, 1 thread against 2", "itself", lambda: self.threads(self.export(*one)),
                          1.8, at_least=True))
        for shape, name in (("kraken_ledgers", "Kraken ledgers"), ("binance_statement", "Binance statement")):
            goals.append(Goal(shape, f"{name}, {text} → ledger", "Binance.US", lambda shape=shape: self.per_row(shape, size.one), 1.6))
        if (pathlib.Path(self.python).parent / "bittytax_conv").exists():
            peer("bittytax", "BittyTax", ("binance_us", size.small), size.small, "transactions", 0.005, job=f"{size.small:,} rows")
        else:
            told("BittyTax cannot be had: it is left out")
        goals.append(Goal("small", "40 small files → ledger", "", lambda: self.alone(self.ours(self.small_files(), "csv")), 40))
        return goals

    def line(self, goal):
        cells = [goal.job, goal.against or "—"]
        try:
            ours, theirs, said = goal.measure()
        except pair.Failed as failure:
            told(str(failure))
            return cells + ["", "", "", "", "", "", "", f"**no**: {failure.args[0].rsplit('`', 1)[-1].strip()}"]
        met = []
        our_s, their_s = ([run.wall_s for run in runs or []] for runs in (ours, theirs))
        if theirs:
            ratios = [our / their for our, their in zip(our_s, their_s)]
            middle = statistics.median(ratios)
            least = 2 if middle >= 0.1 else 4
            ratio = f"**{middle:.{least}f}** ({min(ratios):.{least}f}–{max(ratios):.{least}f})"
            if goal.goal is not None:
                met.append(middle >= goal.goal if goal.at_least else middle <= goal.goal)
            sign = "≥" if goal.at_least else "≤"
            wanted = "—" if goal.goal is None else f"{sign} {goal.goal}"
        else:
            ratio, wanted = "—", "—"
            if goal.goal is not None:
                met.append(1000 * statistics.median(our_s) < goal.goal)
                wanted = f"< {goal.goal} ms"
        peaks = [statistics.median(run.peak_mib for run in runs) if runs else None for runs in (ours, theirs)]
        if goal.peak_mib:
            met.append(max(run.peak_mib for run in ours) <= goal.peak_mib)
            wanted = f"{wanted}, " * (wanted != "—") + f"peak ≤ {goal.peak_mib} MiB"
        verdict = ("yes" if all(met) else "**no**") if met else "—"
        if said:
            verdict += f" ({said})"
        shown = [f"{statistics.median(seconds):.3f}" if seconds else "—" for seconds in (our_s, their_s)]
        shown_peaks = [f"{peak:.0f}" if peak else "—" for peak in peaks]
        return cells + [str(len(ours)), *shown, ratio, *shown_peaks, wanted, verdict]


def limit(bytes):
    """How memory is limited from outside, and the words that go before a command."""
    for scope in (["--user"], []):
        words = ["systemd-run", *scope, "--scope", "--quiet", "-p", f"MemoryMax={bytes}", "-p", "MemorySwapMax=0"]
        try:
            if subprocess.run([*words, "true"], capture_output=True).returncode == 0:
                return "systemd-run MemoryMax", words
        except FileNotFoundError:
            break
    # Counts all memory that can be written, touched or not, so it is the stricter one; files that are only mapped are free.
    return "prlimit --data", ["prlimit", f"--data={bytes}"]


def told(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--coinfold", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--only", action="append", default=[])
    args = parser.parse_args()
    bench = Bench(args)
    goals = bench.goals()
    unknown = set(args.only) - {goal.id for goal in goals}
    if unknown:
        sys.exit(f"there is no line {', '.join(sorted(unknown))}; there are {', '.join(goal.id for goal in goals)}")
    print("| job | against | pairs | wall s: coinfold | the other | ratio | peak MiB: coinfold | the other | goal | met |", flush=True)
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for goal in goals:
        if not args.only or goal.id in args.only:
            print("| " + " | ".join(bench.line(goal)) + " |", flush=True)
    if not args.only:
        print("\nWhat the machine can do at best:\n", flush=True)
        subprocess.run([bench.python, HERE / "roofline.py", bench.export("binance_us", bench.size.one) / "part-00000.csv"], check=True)


main()
