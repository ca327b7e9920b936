"""Tests that work survives the processes that do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from capplan.executor import TRIES, Here, Processes, executor


def _die_once(marks: str, number: int) -> int:
    """Kill the own process the first time that task ``number`` runs."""
    mark = Path(marks) / str(number)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def _die(marks: str) -> None:
    (Path(marks) / str(time.monotonic_ns())).touch()
    os.kill(os.getpid(), signal.SIGKILL)


def _fail() -> None:
    raise ValueError("of this task")


@pytest.mark.parametrize("made", [Here(), Processes(2)], ids=["here", "processes"])
def test_results_and_faults_come_back(made: Executor) -> None:
    """Tests that a task's value is returned and its exception raised, by every executor."""
    with made as pool:
        assert list(pool.map(abs, [-3, 4, -5])) == [3, 4, 5]
        with pytest.raises(ValueError, match="of this task"):
            pool.submit(_fail).result()


def test_one_worker_is_this_process() -> None:
    """Tests that one worker needs no process of its own, and more do."""
    with executor(1) as one, executor(2) as two:
        assert one.submit(os.getpid).result() == os.getpid()
        assert two.submit(os.getpid).result() != os.getpid()


def test_a_killed_process_costs_a_retry(tmp_path: Path) -> None:
    """Tests that tasks are done although processes are killed in the middle of them, others' included."""
    with Processes(2) as pool:
        steady = [pool.submit(pow, n, 2) for n in range(20)]
        dying = [pool.submit(_die_once, str(tmp_path), n) for n in range(3)]
        assert [task.result(timeout=120) for task in steady] == [n * n for n in range(20)]
        assert [task.result(timeout=120) for task in dying] == [0, 1, 4]


def test_a_task_that_kills_every_process_is_given_up(tmp_path: Path) -> None:
    """Tests that a task is tried ``TRIES`` times, and that the executor goes on afterwards."""
    with Processes(1) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(_die, str(tmp_path)).result(timeout=120)
        assert len(list(tmp_path.iterdir())) == TRIES
        assert pool.submit(abs, -1).result(timeout=120) == 1


def test_shutdown_can_end_work_at_once() -> None:
    """Tests that cancelling does not wait for a task that would take a minute."""
    pool = Processes(1)
    pool.submit(abs, -1).result(timeout=120)
    begun = time.monotonic()
    pool.submit(time.sleep, 60)
    pool.shutdown(cancel_futures=True)
    assert time.monotonic() - begun < 30
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(abs, -1)


def test_a_script_without_a_guard_may_use_processes(tmp_path: Path) -> None:
    """Tests that the caller's script is not run again by the processes."""
    script = tmp_path / "plan.py"
    script.write_text(
        "from capplan.executor import executor\n"
        "print('once')\n"
        "pool = executor(2)\n"
        "print(pool.submit(abs, -7).result())\n"
        "pool.shutdown()\n"
    )
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "once\n7\n", "")
