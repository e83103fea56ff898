"""The cocotb test that runs inside the simulator: it applies every word and records what the circuits answer.

It judges nothing. The record is compared with the classifier's answers outside, where a missing or shortened record
counts as a failure. One word in, one time step, one word out: everything that is observed is one packed port.
"""

import os
from pathlib import Path

import cocotb
from cocotb.triggers import Timer

WORDS_VARIABLE = "PRINTEDMLP_WORDS"
RECORD_VARIABLE = "PRINTEDMLP_RECORD"


@cocotb.test()
async def apply_all(dut: "cocotb.handle.HierarchyObject") -> None:
    """Apply the words of one file to `inp` and record the bits of `result` in another, line by line.

    The record ends with a line that counts the answers, so that a shortened one is recognised.
    """
    words = Path(os.environ[WORDS_VARIABLE]).read_text(encoding="ascii").split()
    inp, result = dut.inp, dut.result
    settled = Timer(1, "ns")
    answers = []
    for word in words:
        inp.value = int(word, 16)
        await settled
        answers.append(str(result.value))
    answers.append(f"answers {len(answers)}\n")
    Path(os.environ[RECORD_VARIABLE]).write_text("\n".join(answers), encoding="ascii")
