"""Delays beside those of OpenSTA, where somebody has installed it (the Debian package `opensta`)."""

import re
import shutil
import subprocess

import pytest

from hdl.cells import liberty_text
from hdl.structural import netlist_verilog
from hdl.timing import critical_path
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.netlist import FIRST_INPUT
from tests.netlists import EGFET

STA = shutil.which("opensta") or shutil.which("sta")
pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(STA is None, reason="OpenSTA is not installed; no Python package brings it"),
]
SCRIPT = """read_liberty cells.lib
read_verilog netlist.v
link_design top
set_input_transition {slew_ns} [all_inputs]
set_load {load_pf} [all_outputs]
report_checks -unconstrained -digits 3
exit
"""


def sta_delay_ns(netlist, voltage, slew_ns, load_pf, folder):
    """Arrival at the end of the path that OpenSTA finds to be the longest."""
    (folder / "cells.lib").write_text(liberty_text(EGFET, voltage))
    (folder / "netlist.v").write_text(netlist_verilog(netlist, EGFET))
    (folder / "run.tcl").write_text(SCRIPT.format(slew_ns=slew_ns, load_pf=load_pf))
    done = subprocess.run(
        [str(STA), "-no_splash", "run.tcl"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    found = re.findall(r"([\d.]+)\s+data arrival time", done.stdout)
    assert found, done.stdout + done.stderr
    return max(float(value) for value in found)


@pytest.mark.parametrize("voltage", EGFET.voltages)
@pytest.mark.parametrize("name", sorted(EGFET.cells))
def test_single_cells_inside_their_tables(name, voltage, tmp_path):
    # Behind one gate every transition is beyond the tables, where we clamp and OpenSTA extrapolates.
    inputs = tuple(range(FIRST_INPUT, FIRST_INPUT + len(EGFET.cells[name].inputs)))
    alone = Netlist(len(inputs), (Instance(name, inputs),), (FIRST_INPUT + len(inputs),))
    report = critical_path(alone, EGFET, voltage, output_load_pf=12000, input_slew_ns=3000)
    assert not report.extrapolated
    expected = sta_delay_ns(alone, voltage, 3000, 12000, tmp_path)
    assert report.delay_ms * 1e6 == pytest.approx(expected, rel=1e-4)


def test_a_chain_of_gates_within_what_slews_do_to_it(tmp_path):
    chain = Netlist(2, tuple(Instance("NAND2X1", (2 + k, 3)) for k in [0, 2, 3, 4]), (7,))
    ours = critical_path(chain, EGFET, 1.0, output_load_pf=12000, input_slew_ns=3000).delay_ms * 1e6
    assert ours == pytest.approx(sta_delay_ns(chain, 1.0, 3000, 12000, tmp_path), rel=0.2)
