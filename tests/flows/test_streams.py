"""Standard streams that are closed, read by nobody, or of an encoding that lacks a sign."""

import io
import json
import os
import subprocess
import sys

import pytest

from flows.streams import json_for
from tests.flows.processes import ROOT, environment

CHATTY = "from flows.cli import run_command; import sys; sys.exit(run_command(lambda _: print('wide – 5 ± 1')))"
HELP = (
    "from flows.doctor import parser; from flows.cli import run_command; import sys; "
    "sys.exit(run_command(parser().parse_args, ['-h']))"
)


def ended(code, *, shell="", **changes):
    """A Python process with its streams as the shell makes them: exit code, standard output and error."""
    command = ["sh", "-c", f'"{sys.executable}" -c "$0" {shell}', code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(**changes), stdin=subprocess.DEVNULL, capture_output=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_a_sign_that_the_stream_lacks_ends_no_command():
    code, out, err = ended(CHATTY, PYTHONIOENCODING="ascii")
    assert (code, out, err) == (0, b"wide ? 5 ? 1\n", b"")


def test_programs_that_are_started_have_streams_too():
    inner = "import sys; sys.exit(None in (sys.stdin, sys.stdout, sys.stderr))"
    code = (
        "import subprocess, sys; from flows.cli import run_command\n"
        f"sys.exit(run_command(lambda _: subprocess.call([sys.executable, '-c', {inner!r}])))"
    )
    assert ended(code, shell=">&- 2>&- <&-") == (0, b"", b"")


def test_what_is_said_into_a_closed_stream_goes_nowhere_else(tmp_path):
    place = tmp_path / "first.txt"
    code = (
        "import sys; from flows.cli import run_command\n"
        "def command(_):\n"
        f"    with open({str(place)!r}, 'w') as file:\n"
        "        print('words'); print('more', file=sys.stderr); file.write('mine')\n"
        "sys.exit(run_command(command))"
    )
    assert ended(code, shell=">&- 2>&- <&-") == (0, b"", b"")
    assert place.read_text() == "mine"


@pytest.mark.parametrize("code", ["import sys, flows.commands as c; sys.exit(c.main(['--help']))", CHATTY, HELP])
def test_words_that_nobody_reads_end_in_141_and_silence(code):
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=environment(PYTHONUNBUFFERED=""),
            stdout=nobody,
            stderr=subprocess.PIPE,
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_document_keeps_its_meaning_in_any_encoding():
    text = json.dumps({"name": "ä – 𝄞 \udcff"}, ensure_ascii=False)
    assert json_for(io.TextIOWrapper(io.BytesIO(), "utf-8"), '"ä"') == '"ä"'
    for encoding in ("ascii", "latin-1", "utf-8"):
        told = json_for(io.TextIOWrapper(io.BytesIO(), encoding), text)
        assert json.loads(told.encode(encoding)) == json.loads(text)
