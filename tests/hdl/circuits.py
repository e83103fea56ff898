"""From Verilog text to a simulated netlist, by the shortest way there is, for tests."""

from hdl.blif import parse_mapped_blif
from hdl.cells import genlib_text
from hdl.frontend import compile_verilog
from hdl.tools import run_abc
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.technology import load_technology


def verilog_outputs(verilog, X, input_bits, work_dir):
    """The output word of a circuit for every row of X. Returns int64 (n,)."""
    technology = load_technology("egfet")
    aig = compile_verilog(verilog, work_dir)
    (work_dir / "cells.genlib").write_text(genlib_text(technology), encoding="utf-8")
    run_abc(["read_library cells.genlib", f"read_aiger {aig.path.name}", "amap", "write_blif out.blif"], work_dir)
    netlist = parse_mapped_blif((work_dir / "out.blif").read_text(encoding="utf-8"), technology)
    values = simulate(netlist, technology, input_bits_of(X, input_bits), len(X))
    return classes(netlist, values, len(X))
