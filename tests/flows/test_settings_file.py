"""The line that a message names is the one that sets the key, in the command's own table, and is found quickly."""

import time
import tomllib

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from flows import defects_options, measure_options
from flows.settings_file import line_of
from printedmlp.errors import ConfigError

PIECES = [
    "# seed = 1\n",
    "[design]\n",
    "[[more]]\n",
    "\n",
    " \t\r\n",
    "[design.deep] # [measure]\n",
    "[a.measure]\n",
    '"seed x" = 1\n',
    "seeds = [\n1,\n[2]\n]\n",
    "a.seed = 3\n",
    "t = '''\nseed = 1\n'''\n",
    'q = """\nseed = \\"""1\n""""\n',
    "b = {seed = 1}\n",
    "l = [[1,\n2], ['seed']] # [\n",
    '\'s\' = "]\\"" # "\n',
    "seed = 2\n",
]
"""Of TOML that look like the setting or hide it."""


def setting_line(text):
    """The line whose value is the setting's, found by trying each."""
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if line.startswith("seed = "):
            tried = tomllib.loads("\n".join([*lines[: number - 1], 'seed = "tried"', *lines[number:]]))
            if tried["measure"].get("seed") == "tried":
                return number
    return None


@settings(max_examples=200, deadline=None)
@given(before=st.lists(st.sampled_from(PIECES), max_size=6, unique=True))
def test_the_line_that_is_named_sets_the_key(before):
    text = "".join(before) + "[measure]\nseed = 5\n"
    try:
        held = tomllib.loads(text)
    except ValueError:
        reject()
    assume("seed" not in held)
    assert line_of(text, "seed", "measure") == setting_line(text)


def read(options, folder, text):
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return options.parser().read(["--config", str(file)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[design]\nseed = 1\n# seed = 2\n[measure.seed]\n", "toml line 4: seed must be int, not {}"),
        ('[compare]\nseed = 1\n["measure"]\n "seed" = "x"\n', "toml line 4: seed must be int, not 'x'"),
        ("[measure]\n[measure.colour]\nof = 1\n", "toml line 2: unknown setting 'colour'"),
        ("[[measure]]\nseed = 1\n", "toml line 1: unknown setting 'measure'"),
    ],
)
def test_the_line_is_one_of_the_commands_own_table(text, message, tmp_path):
    with pytest.raises(ConfigError) as refused:
        read(measure_options, tmp_path, text)
    assert str(refused.value).endswith(message)


def test_a_line_is_found_in_time_that_grows_with_the_text_alone(tmp_path):
    text = 'verilog = """' + "\nseed = 1" * 200_000 + '"""\nseed = "x"\n'
    began = time.process_time()
    with pytest.raises(ConfigError, match="line 200002: seed must be int"):
        read(measure_options, tmp_path, text)
    assert time.process_time() - began < 10.0


@pytest.mark.parametrize(
    ("written", "meant"), [("0.9", (0.9,)), ("[0.9, 1]", (0.9, 1.0)), ('"0.9,0.5"', (0.9, 0.5))]
)
def test_yields_are_a_number_a_list_or_text(written, meant, tmp_path):
    assert read(defects_options, tmp_path, f"device_yield = {written}\n").device_yield == meant
