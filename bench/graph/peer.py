"""What the scripts for the peers share: the work to do comes as a JSON line on standard input, which then stays open for as
long as it is wanted; one JSON line a work item goes out."""

import decimal
import json
import os
import sys
import threading
import time


def say(**fields):
    print(json.dumps(fields, default=plain), flush=True)


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"{type(value)} in a result")


def memory_mib(process, field):
    """`VmRSS` or `VmHWM` of a process."""
    with open(f"/proc/{process}/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(process):
    """User and system time of a process and all of its threads, ended ones too, to the nanosecond (clock_getcpuclockid)."""
    return time.clock_gettime((~process << 3) | 2)


class Clock:
    """Time since it was made: wall and CPU of a process."""

    def __init__(self, process):
        self.process = process
        self.cpu, self.wall = cpu_seconds(process), time.perf_counter()

    def read(self):
        wall = time.perf_counter() - self.wall
        return wall, cpu_seconds(self.process) - self.cpu


def loaded(process, clock, rows):
    wall, cpu = clock.read()
    say(work="load", wall=[wall], cpu=[cpu], rows=rows, resident_mib=memory_mib(process, "VmRSS"))


def measure(process, works, name, run):
    """One run that warms up, then as many as asked."""
    for work in works["works"]:
        started = time.perf_counter()
        try:
            rows = run(work[name])
            wall, cpu = [], []
            for _ in range(works["runs"]):
                started = time.perf_counter()
                clock = Clock(process)
                run(work[name])
                for times, one in zip((wall, cpu), clock.read()):
                    times.append(one)
            say(work=work["name"], wall=wall, cpu=cpu, rows=rows)
        except Exception as error:  # what a peer can't do is told, and the next item tried
            late = time.perf_counter() - started > works["seconds"] * 0.99
            told = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            say(work=work["name"], error=f"not finished in {works['seconds']:.0f} s" if late else told)
    say(peak_mib=memory_mib(process, "VmHWM"))


def works(end=lambda: None):
    """The work to do; when it is not wanted any more, `end` is called and the process ended, whatever it is at."""
    todo = json.loads(sys.stdin.readline())

    def watch():
        sys.stdin.read()
        end()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    return todo


def described(folder):
    with open(os.path.join(folder, "data.json")) as file:
        return json.load(file)
