"""A headless Chromium for tests of pages, which are skipped where there is none."""

import contextlib

import pytest

from benchmarks.chromium import browser
from printedmlp.errors import ToolError


@contextlib.contextmanager
def opened():
    """A page of a browser that is found on PATH."""
    with contextlib.ExitStack() as stack:
        try:
            page = stack.enter_context(browser())
        except ToolError as error:
            pytest.skip(str(error))
        yield page
