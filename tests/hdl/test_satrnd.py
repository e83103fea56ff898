import pytest

from hdl.synthesis import map_verilog
from tests.netlists import EGFET, function


def satrnd(din, tc, sat, rnd, width, msb_out, lsb_out):
    """The cell in plain integers: (overflow, output)."""
    n = msb_out - lsb_out + 1
    value = din - (1 << width) if tc and din >> (width - 1) else din
    result = value >> lsb_out
    if rnd and lsb_out:
        result += din >> (lsb_out - 1) & 1
    low, high = (-(1 << (n - 1)), (1 << (n - 1)) - 1) if tc else (0, (1 << n) - 1)
    fits = low <= result <= high
    if sat and not fits:
        result = low if result < low else high
    return int(not fits), result % (1 << n)


def test_integers_by_hand():
    assert satrnd(0b01101100, 0, 1, 0, 8, 5, 2) == (1, 0b1111)
    assert satrnd(0b00101100, 0, 1, 0, 8, 5, 2) == (0, 0b1011)
    assert satrnd(0b00101110, 0, 1, 1, 8, 5, 2) == (0, 0b1100)
    assert satrnd(0b10000000, 1, 1, 0, 8, 5, 2) == (1, 0b1000)


@pytest.mark.parametrize(("msb_out", "lsb_out"), [(5, 2), (7, 0), (7, 4), (3, 3), (2, 0), (6, 1)])
def test_every_input_in_every_mode(msb_out, lsb_out, tmp_path):
    n = msb_out - lsb_out + 1
    verilog = (
        f"module top(input [10:0] inp, output [{n}:0] out);"
        f"DW01_satrnd #(8, {msb_out}, {lsb_out}) cell (.din(inp[7:0]), .tc(inp[8]), .sat(inp[9]), .rnd(inp[10]),"
        f" .ov(out[{n}]), .dout(out[{n - 1}:0])); endmodule"
    )
    netlist = map_verilog(verilog, EGFET, effort="quick", work_dir=tmp_path).netlist
    expected = [satrnd(w & 255, w >> 8 & 1, w >> 9 & 1, w >> 10 & 1, 8, msb_out, lsb_out) for w in range(1 << 11)]
    assert function(netlist) == [overflow << n | value for overflow, value in expected]


def test_a_circuits_own_model_comes_first(tmp_path):
    verilog = (
        "module DW01_satrnd(input din, output dout); assign dout = !din; endmodule "
        "module top(input inp, output out); DW01_satrnd cell (inp, out); endmodule"
    )
    assert function(map_verilog(verilog, EGFET, effort="quick", work_dir=tmp_path).netlist) == [1, 0]
