#!/usr/bin/env python3
"""What this machine can do at best: the least that any program must do for a conversion, and nothing else.

    roofline.py EXPORT [MEGABYTES_WRITTEN …]

Reads the export from the page cache into one buffer of 1 MiB, copies as many bytes in memory, finds its line ends, and writes so
many megabytes into the page cache (135 and 444 are what 1,000,000 rows become as transactions and as a ledger), into a new
file and over an old one. On one thread and shared out over two; the median of seven, with the least and the most. The work is
done in calls of the system and the C library, in which Python's threads run beside each other.
"""
import ctypes
import os
import pathlib
import statistics
import sys
import tempfile
import threading
import time

BUFFER = 1 << 20
RUNS = 7
libc = ctypes.CDLL(None)
libc.memchr.restype = ctypes.c_void_p
libc.memchr.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]


def buffer():
    made = ctypes.create_string_buffer(b"a" * BUFFER, BUFFER)
    return made, memoryview(made)


def shared_out(threads, total, work):
    """Seconds that `work(begin, end)` takes with the bytes shared out."""
    begin = time.monotonic()
    cut = [total * nth // threads for nth in range(threads + 1)]
    running = [threading.Thread(target=work, args=part) for part in zip(cut, cut[1:])]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.monotonic() - begin


def read(file):
    def work(begin, end):
        _, view = buffer()
        for at in range(begin, end, BUFFER):
            os.preadv(file, [view[:min(BUFFER, end - at)]], at)

    return work


def copy(begin, end):
    (one, _), (other, _) = buffer(), buffer()
    for at in range(begin, end, BUFFER):
        ctypes.memmove(other, one, min(BUFFER, end - at))


def scan(begin, end):
    """Looks through memory for a byte that is not there: as fast as any search for line ends can be."""
    one, _ = buffer()
    for at in range(begin, end, BUFFER):
        libc.memchr(one, 0x0A, min(BUFFER, end - at))


def write(file):
    def work(begin, end):
        _, view = buffer()
        for at in range(begin, end, BUFFER):
            os.pwritev(file, [view[:min(BUFFER, end - at)]], at)

    return work


def line(what, total, measure):
    cells = [what, f"{total / 1e6:.0f}"]
    for threads in (1, 2):
        measure(threads)
        seconds = [measure(threads) for _ in range(RUNS)]
        cells.append(f"{statistics.median(seconds):.3f} ({min(seconds):.3f}–{max(seconds):.3f})")
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    export = pathlib.Path(sys.argv[1])
    sizes = [int(megabytes) * 1_000_000 for megabytes in sys.argv[2:]] or [135_000_000, 444_000_000]
    total = export.stat().st_size
    print("| | MB | s: 1 thread | 2 threads |\n|---|---:|---:|---:|")
    with open(export, "rb") as file:
        line("read from the page cache", total, lambda threads: shared_out(threads, total, read(file.fileno())))
    line("copy in memory", total, lambda threads: shared_out(threads, total, copy))
    line("look for line ends in memory", total, lambda threads: shared_out(threads, total, scan))
    # Beside the export, so that it is the same file system.
    with tempfile.TemporaryDirectory(dir=export.parent) as folder:
        path = pathlib.Path(folder) / "written"
        for size in sizes:
            def anew(threads):
                path.unlink(missing_ok=True)
                with open(path, "wb") as file:
                    return shared_out(threads, size, write(file.fileno()))

            def over(threads):
                with open(path, "r+b") as file:
                    return shared_out(threads, size, write(file.fileno()))

            line("write into the page cache: a new file", size, anew)
            line("write into the page cache: over an old file", size, over)


main()
