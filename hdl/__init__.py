"""From a classifier to printed cells: Verilog, synthesis, timing and power."""
