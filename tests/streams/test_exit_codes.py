import signal

import pytest

from streams.exit_codes import ExitCode, exit_code_of


def test_the_codes_are_those_that_supervisors_were_set_up_for():
    assert {code.name: code.value for code in ExitCode} == {
        "CLEAN": 0,
        "CRASH": 1,
        "CONFIGURATION": 2,
        "KAFKA": 3,
        "BREAKER": 4,
        "SLOT_TAKEN": 5,
        "MISSING_HISTORY": 6,
        "SNAPSHOT": 7,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize("code", ExitCode)
def test_a_code_survives_the_end_of_its_process(code):
    assert exit_code_of(int(code)) is code


@pytest.mark.parametrize("status", [-signal.SIGKILL, 137, 99, -1, 255])
def test_any_other_end_is_a_crash(status):
    assert exit_code_of(status) is ExitCode.CRASH
