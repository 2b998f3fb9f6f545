#!/usr/bin/env python3
"""Counts the instructions that coinfold takes for a row, and holds them against the counts that are kept in `kept.csv`.

    benches/counts/run.py [PROGRAM] [--keep] [--files N] [--table] [--work FOLDER]

PROGRAM is a release build, `target/release/coinfold` if none is named. Where a job takes over 5 % more than is kept, the exit
code is 1. `--keep` writes `kept.csv` anew: it belongs into the same commit as what changed the counts. `--files N` lists the N
files of source with most instructions in each job; `--table` prints the rooms of the kept counts as `docs/performance.md` has them,
and counts nothing.

A job runs on one thread under `valgrind --tool=callgrind`, over 20,000 and over 40,000 generated rows; the difference divided by
20,000 is what one row takes, and what a run does once falls out. Unlike times, counts are the same on a busy machine; they
differ a little from compiler to compiler, and between processors for which the C library chooses other code.

Counts are split by the file in which a line of source stands, which holds for what is inlined, too. Each room (`src/…`) has what its
own lines take and what the standard library, the crates and the C library take for it; where several rooms call one function of
those, it is shared out as callgrind tells how much each call took. Below them stands again, as `of it`, what was done in such
shared code.
"""
import argparse
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent.parent
KEPT = HERE / "kept.csv"
GENERATE = TREE / "benches" / "compare" / "generate.py"
FEWER, MORE = 20_000, 40_000
# A job may take this much more than is kept.
LEEWAY = 0.05
# Parts under this share of a job are not kept apart: they would come and go.
SHARE = 0.005
# Shape of the export, and layout.
PER_ROW = [("binance_us", "csv"), ("binance_us", "transactions"), ("kraken_ledgers", "csv"), ("binance_statement", "csv")]


# Rooms in a room that are counted apart.
APART = {"model/amount", "model/time", "output/readback"}


@cache
def part_of(file):
    """The room, crate or library that a file of source belongs to, and whether it is ours."""
    ours = re.fullmatch(r"(?:.*/)?src/((\w+)(?:/\w+)?)(?:/.*|\.rs)", file) if file.startswith((f"{TREE}/src/", "src/")) else None
    if ours:
        return "src/" + (ours.group(1) if ours.group(1) in APART else ours.group(2)), True
    crate = re.search(r"/registry/src/[^/]+/([\w-]+?)-\d", file)
    if crate:
        return crate.group(1), False
    if "/library/" in file or "/rustc/" in file:
        return "the standard library", False
    if "malloc" in file:
        return "the C library: memory that is asked for", False
    if re.search("mem(move|cpy|set|cmp)", file):
        return "the C library: memory that is copied, filled or compared", False
    return "the C library and others", False


def read_profile(path):
    """Instructions by room, by shared code, and by file, from callgrind's output."""
    file_names, defined_in = {}, {}
    rooms, shared, files = Counter(), Counter(), Counter()
    # What the lines of shared functions take, and for whom: (function, (caller, whether that is a room)) and instructions.
    waiting, calls = Counter(), Counter()
    function = called = line_of = None
    is_call = False
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line[0] in "+-*0123456789":
                cost = int(line.split()[1])
                own = defined_in[function]
                file = own if part_of(own)[1] and not part_of(line_of)[1] else line_of
                part, ours = part_of(file)
                if is_call:
                    # It stands again with the function that is called; here it says for whom.
                    is_call = False
                    if called != function:
                        calls[called, (part, True) if ours else (function, False)] += cost
                    continue
                files[file] += cost
                if ours:
                    rooms[part] += cost
                else:
                    waiting[function] += cost
                if not part_of(line_of)[1]:
                    shared[part_of(line_of)[0]] += cost
                continue
            word, equals, rest = line.partition("=")
            if word == "calls":
                is_call = True
            elif equals and word in ("fl", "fi", "fe", "cfi", "cfl"):
                number, _, name = rest.strip().partition(" ")
                file = file_names.setdefault(number, name)
                if word in ("fl", "fi", "fe"):
                    line_of = file
                if word == "fl":
                    begun_in = file
            elif equals and word == "fn":
                function = rest.split()[0]
                defined_in[function] = line_of = begun_in
            elif equals and word == "cfn":
                called = rest.split()[0]
    callers = {}
    for (called, caller), cost in calls.items():
        if not part_of(defined_in.get(called, ""))[1]:
            callers.setdefault(called, Counter())[caller] += cost
    rooms.update(shared_out(waiting, callers))
    return rooms, shared, files


def shared_out(waiting, callers):
    """Hands what shared functions take up to those who called them, until it arrives at a room."""
    rooms = Counter()
    for _ in range(200):
        above = Counter()
        for function, cost in waiting.items():
            wanted = callers.get(function)
            if not wanted:
                rooms["before and beside all rooms"] += cost
                continue
            total = sum(wanted.values())
            for (caller, is_room), weight in wanted.items():
                (rooms if is_room else above)[caller] += cost * weight / total if total else cost / len(wanted)
        waiting = above
        if sum(waiting.values()) < 1:
            break
    rooms["before and beside all rooms"] += sum(waiting.values())
    return rooms


class Counting:
    def __init__(self, program, work):
        self.program, self.work = str(program), work

    def export(self, shape, rows, files=1):
        folder = self.work / f"{shape}-{rows}x{files}"
        if not folder.exists():
            subprocess.run([sys.executable, GENERATE, shape, str(rows), str(files), folder], check=True)
        # A path of the same length for each size: the ledger names the file in every line.
        return folder.relative_to(self.work)

    def count(self, name, *words):
        """Runs the program once, in the folder of work."""
        profile = self.work / f"{name}.callgrind"
        # An environment of its own: what is in it is read at the start.
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.work), "RAYON_NUM_THREADS": "1"}
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", self.program, *words]
        ran = subprocess.run(valgrind, cwd=self.work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(f"{' '.join(words)} ended with {ran.returncode}:\n{ran.stderr}")
        counted = read_profile(profile)
        profile.unlink()
        return counted

    def per_row(self, shape, layout):
        def at(rows):
            name = f"{shape}-{layout}-{rows}"
            words = ["--quiet", "--threads", "1", "--to", layout, "-o", f"{name}.out"]
            return self.count(name, "convert", *words, f"{self.export(shape, rows)}/")

        fewer, more = at(FEWER), at(MORE)
        return tuple(
            Counter({key: (b[key] - a[key]) / (MORE - FEWER) for key in a | b}) for a, b in zip(fewer, more)
        )

    def small(self):
        folder = self.work / "small"
        for shape, files in (("binance_us", 20), ("kraken_ledgers", 10), ("binance_statement", 10)):
            if not (folder / shape).exists():
                subprocess.run([sys.executable, GENERATE, shape, "25", str(files), folder / shape], check=True)
        return folder

    def jobs(self):
        """Name, what is counted, and how."""
        self.small()
        for shape, _ in PER_ROW:
            for rows in (FEWER, MORE):
                self.export(shape, rows)
        for shape, layout in PER_ROW:
            to = "ledger" if layout == "csv" else layout
            yield f"{shape} → {to}, a row", lambda shape=shape, layout=layout: self.per_row(shape, layout)
        yield "--version", lambda: self.count("version", "--version")
        small = "small/binance_us/part-00000.csv"
        yield "detect, one small file", lambda: self.count("detect", "detect", small)
        words = ["convert", "--quiet", "--threads", "1", "--to", "csv", "small/", "-o", "small.out"]
        yield "convert, 40 small files", lambda: self.count("convert", *words)


def kept():
    if not KEPT.exists():
        return {}
    with open(KEPT, newline="", encoding="utf-8") as file:
        return {(row["job"], row["part"]): int(row["instructions"]) for row in csv.DictReader(file)}


def change(count, before):
    return "" if not before else f"{100 * (count - before) / before:+.1f} %"


def table():
    """The kept counts: a column for each job that is counted by rows, and a list of the others."""
    counts = kept()
    jobs = list(dict.fromkeys(job for job, _ in counts))
    per_row = [job for job in jobs if job.endswith(", a row")]
    rooms = Counter()
    for (job, part), count in counts.items():
        if job in per_row and part != "all" and not part.startswith("of it"):
            rooms[part] += count
    print("| room | " + " | ".join(job.removesuffix(", a row") for job in per_row) + " |")
    print("|---|" + "---:|" * len(per_row))
    for part, _ in rooms.most_common():
        print(f"| {part} | " + " | ".join(f"{counts[job, part]:,}" if (job, part) in counts else "" for job in per_row) + " |")
    print("| **in all** | " + " | ".join(f"**{counts[job, 'all']:,}**" for job in per_row) + " |")
    print("\n| run | instructions |\n|---|---:|")
    for job in jobs:
        if job not in per_row:
            print(f"| {job} | {counts[job, 'all']:,} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", type=pathlib.Path, default=TREE / "target" / "release" / "coinfold")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--files", type=int, default=0, metavar="N")
    parser.add_argument("--work", type=pathlib.Path, help="where to make the exports, and to find them again")
    parser.add_argument("--table", action="store_true")
    args = parser.parse_args()
    if args.table:
        return table()
    with tempfile.TemporaryDirectory(prefix="coinfold-counts-") as temporary:
        work = (args.work or pathlib.Path(temporary)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        jobs = list(Counting(args.program.absolute(), work).jobs())
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counted = list(pool.map(lambda job: job[1](), jobs))
    before, rows, worse = kept(), [], []
    print("| instructions | now | kept | |\n|---|---:|---:|---:|")
    for (job, _), (rooms, shared, files) in zip(jobs, counted):
        total = round(sum(rooms.values()))
        was = before.get((job, "all"))
        print(f"| **{job}** | **{total:,}** | {'' if was is None else f'{was:,}'} | {change(total, was)} |")
        if was is not None and total > was * (1 + LEEWAY):
            worse.append(job)
        rows.append((job, "all", total))
        for before_part, parts in (("", rooms), ("of it: ", shared)):
            for part, count in parts.most_common():
                if count < SHARE * total:
                    break
                part, count = before_part + part, round(count)
                was = before.get((job, part))
                print(f"| … {part} | {count:,} | {'' if was is None else f'{was:,}'} | {change(count, was)} |")
                rows.append((job, part, count))
        for file, count in files.most_common(args.files):
            print(f"| … … `{file.removeprefix(f'{TREE}/')}` | {round(count):,} | | |")
    if args.keep:
        with open(KEPT, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("job", "part", "instructions"), *rows])
        print(f"\nkept in {KEPT.relative_to(TREE)}")
    elif worse:
        print(f"\nover {LEEWAY:.0%} more than is kept: {'; '.join(worse)}")
        print("where that is meant, keep the new counts: benches/counts/run.py --keep")
        sys.exit(1)
    else:
        print("\nnothing takes over 5 % more than is kept; to keep these counts: benches/counts/run.py --keep")


if __name__ == "__main__":
    main()
