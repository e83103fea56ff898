"""The site is built without a warning, needs nothing from elsewhere, and none of its links leads nowhere."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.snippets import ROOT

pytest.importorskip("furo", reason="the site needs the extra 'docs'")
pytest.importorskip("myst_parser", reason="the site needs the extra 'docs'")

LOADED = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself when it opens a page."""


class Page(HTMLParser):
    """What a page loads, where its links lead, and which anchors it has."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.links, self.anchors = set(), set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.anchors |= {values[key] for key in ("id", "name") if values.get(key)}
        if values.get(LOADED.get(tag)):
            self.loaded.add(values[LOADED[tag]])
        if tag == "a" and values.get("href"):
            self.links.add(values["href"])


def build(source, target):
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", source, target]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """Pages of the built site by their path in it."""
    folder = tmp_path_factory.mktemp("site")
    done = build(ROOT / "docs", folder)
    assert done.returncode == 0, done.stderr
    return {path.relative_to(folder).as_posix(): Page(path.read_text()) for path in folder.rglob("*.html")}, folder


def foreign(page):
    """Addresses of other machines that a page loads something from."""
    return {address for address in page.loaded if urlsplit(address).netloc}


def lost(pages, name, exists):
    """Links of a page inside the site to pages, files or anchors that are not there."""
    found = set()
    for link in pages[name].links | pages[name].loaded:
        parts = urlsplit(link)
        path = os.path.normpath(os.path.join(os.path.dirname(name), unquote(parts.path))) if parts.path else name
        if parts.scheme or parts.netloc:
            continue
        anchored = path in pages and parts.fragment and unquote(parts.fragment) not in pages[path].anchors
        if not exists(path) or anchored:
            found.add(link)
    return found


@pytest.mark.slow
def test_every_page_is_built_and_linked(pages):
    found, folder = pages
    assert {path.stem for path in (ROOT / "docs").glob("*.md")} <= {name.removesuffix(".html") for name in found}
    assert {name: lost(found, name, lambda path: (folder / path).exists()) for name in found} == {
        name: set() for name in found
    }


@pytest.mark.slow
def test_nothing_comes_from_elsewhere(pages):
    found, folder = pages
    assert {address for page in found.values() for address in foreign(page)} == set()
    styles = [path.read_text(encoding="utf-8") for path in folder.rglob("*.css")]
    assert not [match for text in styles for match in re.findall(r"(?:url\(|@import)\W*https?:[^)]*", text)]


@pytest.mark.slow
def test_docstrings_are_on_the_pages_of_their_rooms(pages):
    found, folder = pages
    assert "printedmlp.model.DiscreteMLP.predict" in found["api-printedmlp.html"].anchors
    assert "hdl.synthesis.map_verilog" in found["api-hdl.html"].anchors
    text = (folder / "api-printedmlp.html").read_text()
    assert "cannot find" not in text
    assert "n_features" in text


def test_what_is_wrong_on_a_page_is_found():
    good, bad = Page('<h1 id="top">a</h1>'), Page('<a href="good.html#no">x</a><a href="none.html">y</a>')
    assert lost({"good.html": good, "bad.html": bad}, "bad.html", "good.html".__eq__) == {
        "good.html#no",
        "none.html",
    }
    assert foreign(Page('<script src="https://cdn.example/x.js"></script>')) == {"https://cdn.example/x.js"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# A\n\n[x](nowhere.md)\n", "nowhere.md"),
        ("# A\n\n```{eval-rst}\n.. automodule:: printedmlp.nothing\n```\n", "printedmlp.nothing"),
        ("# A\n\n```{toctree}\nmissing\n```\n", "missing"),
    ],
)
def test_a_broken_page_fails_the_build(tmp_path, text, why):
    source = tmp_path / "source"
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("*.md", "*.ipynb"))
    (source / "index.md").write_text(text)
    done = build(source, tmp_path / "site")
    assert done.returncode != 0
    assert why in done.stderr
