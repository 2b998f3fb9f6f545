#!/usr/bin/env python3
"""Times two commands in turn, and compares each run with the run beside it.

    pair.py NAME PAIRS 'OURS' 'THEIRS'

A machine that others use too is faster in one minute than in the next, so only a ratio of two neighbouring runs counts. One
pair goes ahead unmeasured. Where the ratios lie far apart, more pairs are run, up to three times as many. Prints one line
of a Markdown table: wall time, processor time, peak memory, each as the median with the least and the most.
"""
import os
import shlex
import statistics
import sys
import time

# The middle half of the ratios must lie within this part of their median.
CALM = 0.10


def run(command):
    """Wall seconds, processor seconds, peak MiB."""
    begin = time.monotonic()
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{shlex.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def calm(ratios):
    if len(ratios) < 2:
        return True
    quarters = statistics.quantiles(ratios, n=4)
    return quarters[2] - quarters[0] <= CALM * quarters[1]


def show(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def main():
    name, pairs, ours, theirs = sys.argv[1], int(sys.argv[2]), shlex.split(sys.argv[3]), shlex.split(sys.argv[4])
    run(ours), run(theirs)
    runs = []
    while not runs or (not calm([our[0] / their[0] for our, their in runs]) and len(runs) < 3 * pairs):
        runs += [(run(ours), run(theirs)) for _ in range(pairs)]
    cells = [name, str(len(runs))]
    for what, digits in ((0, 2), (1, 2), (2, 0)):
        cells += [show([pair[side][what] for pair in runs], digits) for side in (0, 1)]
        if what < 2:
            cells.append(f"**{show([our[what] / their[what] for our, their in runs], 3)}**")
    print("| " + " | ".join(cells) + " |", flush=True)


main()
