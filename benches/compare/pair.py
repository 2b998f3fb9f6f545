"""Times commands in turn, and compares each run with the run beside it.

A machine that others use too is faster in one minute than in the next, so only a ratio of two neighbouring runs counts. One
pair goes ahead unmeasured. Where the ratios lie far apart, more pairs are run, up to three times as many.
"""
import os
import shlex
import statistics
import time
from dataclasses import dataclass

# The middle half of the ratios must lie within this part of their median.
CALM = 0.10


class Failed(Exception):
    """A command that should have worked did not."""


@dataclass
class Run:
    wall_s: float
    processor_s: float
    peak_mib: float


def run(command, environment=None):
    """Runs a command (a list of words) once. Its words to people go nowhere."""
    begin = time.monotonic()
    quiet = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_WRONLY, 0) for stream in (1, 2)]
    child = os.posix_spawnp(command[0], command, os.environ | (environment or {}), file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        raise Failed(f"`{shlex.join(command)}` ended with {os.waitstatus_to_exitcode(status)}")
    return Run(time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def calm(ratios):
    if len(ratios) < 2:
        return True
    quarters = statistics.quantiles(ratios, n=4)
    return quarters[2] - quarters[0] <= CALM * quarters[1]


def in_turn(pairs, ours, theirs):
    """Runs both `pairs` times or more. Gives back the runs of each, of equal number. `ours` and `theirs` run once when called."""
    ours(), theirs()
    runs = []
    while not runs or (not calm([our.wall_s / their.wall_s for our, their in runs]) and len(runs) < 3 * pairs):
        runs += [(ours(), theirs()) for _ in range(pairs)]
    return [our for our, _ in runs], [their for _, their in runs]
