"""What the engine holds in memory, and lets go of."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from capplan.engine import Limits, Watch
from capplan.engine.memory import hand_back
from capplan.engine.narrow import narrowed
from capplan.engine.stage import Stage
from tests.test_engine_large import cost_of, openings

STATUS = Path("/proc/self/status")


def _resident_mib() -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", STATUS.read_text())
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.skipif(not STATUS.exists(), reason="needs Linux to say how much is held")
def test_what_was_freed_in_small_pieces_is_handed_back():
    pieces = [np.full(600, k, dtype=np.int64) for k in range(40_000)]
    held = _resident_mib()
    # The last one lies above all others, so that the heap cannot simply end sooner.
    del pieces[:-1]
    hand_back()
    assert _resident_mib() < held - 100
    assert pieces[0][0] == 39_999


def test_a_core_that_is_left_keeps_its_plans_and_nothing_that_can_be_worked_out_again():
    program = openings(40, 5, 1)
    stage = Stage(program, cost_of(program), Limits(), Watch(), lambda *_: None, None)
    bound = stage._prices()
    stage._keep(stage._attractive(bound), bound)
    stage._first_plan()
    left, plan = stage.core, stage.best
    assert plan is not None
    terrain, size = left.terrain, len(pickle.dumps(left))
    stage._keep(np.ones(program.options, dtype=np.bool_), bound)
    assert stage.core is not left
    assert "terrain" not in vars(left)
    assert len(pickle.dumps(left)) == size
    assert left.taken(left.inner(plan)).tolist() == (plan[: program.options] > 0).tolist()
    assert left.terrain.width == terrain.width


def test_a_smaller_program_numbers_its_columns_in_32_bits():
    program = openings(6, 3, 2)
    option = np.array([0, 2, 5, 7, 9, 12, 17])
    small, _ = narrowed(program, cost_of(program), option)
    matrix = small.limits.tocsr()
    assert {matrix.indices.dtype, matrix.indptr.dtype} == {np.dtype(np.int32)}
    column = np.concatenate([option, np.arange(program.options, program.columns)])
    assert (matrix.toarray() == program.limits.tocsr().toarray()[:, column]).all()
