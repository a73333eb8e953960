"""Runs one task several times in this process and prints one JSON line for each round."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# What a round found, worked out after the clock has stopped.
Outcome = Callable[[], dict]
# One round of a task: what is timed.
Run = Callable[[], Outcome]


@dataclass(frozen=True)
class Arguments:
    """Of a command line `NAME TASK DATASET ROUNDS [key=value ...]`."""

    name: str
    task: str
    dataset: str
    rounds: int
    settings: dict[str, str]

    @classmethod
    def parse(cls, allowed: tuple[str, ...] = ()) -> Arguments:
        """Those of this process; only settings of the allowed names."""
        if len(sys.argv) < 5:
            sys.exit(f"usage: {sys.argv[0]} NAME TASK DATASET ROUNDS [key=value ...]")
        name, task, dataset, rounds, *settings = sys.argv[1:]
        pairs = dict(setting.split("=", 1) for setting in settings)
        unknown = pairs.keys() - set(allowed)
        if unknown:
            sys.exit(f"{name} has no setting {', '.join(sorted(unknown))}")
        return cls(name, task, dataset, int(rounds), pairs)


def machine_cpu_seconds() -> float:
    """Seconds that all CPUs were busy since the machine started, kernel threads included."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _idle, _wait, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def process_cpu_seconds() -> float:
    """User and system time of all threads of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def status_bytes(name: str) -> int:
    """A line in kB of /proc/self/status."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"/proc/self/status has no {name}")


def reset_peak_memory() -> None:
    """Lets the peak of resident memory begin anew; where that is forbidden, it goes on from the start."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except PermissionError:
        return


def measure(arguments: Arguments, tasks: dict[str, Run]) -> None:
    """Times the task that was asked for, round after round."""
    if arguments.task not in tasks:
        sys.exit(f"{arguments.name} has no task {arguments.task}; it has {', '.join(tasks)}")
    run = tasks[arguments.task]
    memory_before = status_bytes("VmRSS")
    for number in range(1, arguments.rounds + 1):
        gc.collect()
        reset_peak_memory()
        machine_before = machine_cpu_seconds()
        cpu_before = process_cpu_seconds()
        started = time.perf_counter()
        outcome = run()
        seconds = time.perf_counter() - started
        cpu = process_cpu_seconds() - cpu_before
        machine = machine_cpu_seconds() - machine_before
        line = {
            "task": arguments.task,
            "round": number,
            "seconds": seconds,
            "cpuSeconds": cpu,
            "machineCpuSeconds": machine,
            "peakMemoryBytes": status_bytes("VmHWM") - memory_before,
        }
        print(json.dumps(line | outcome()), flush=True)
        # The result is not kept until the next one is there.
        del outcome
