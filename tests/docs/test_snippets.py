"""Every command and every piece of Python in README and pages does what it says, or has a reason not to be run."""

import pytest

from tests.docs.snippets import ROOT, RUN, Snippet, SnippetError, script_of, snippets_of

FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
SNIPPETS = {name: snippets_of(name, text) for name, text in PAGES.items()}
RUNNABLE = {name: [s for s in own if s.language in RUN and not s.skipped] for name, own in SNIPPETS.items()}
QUICK = [name for name, own in RUNNABLE.items() if any(not s.slow for s in own)]
SLOW = [name for name, own in RUNNABLE.items() if any(s.slow for s in own)]


@pytest.mark.parametrize("page", QUICK)
def test_quick_snippets(page, workspace):
    workspace.run([snippet for snippet in SNIPPETS[page] if not snippet.slow])


@pytest.mark.slow
@pytest.mark.tools
@pytest.mark.parametrize("page", SLOW)
def test_slow_snippets(page, after_a_run):
    after_a_run.run([snippet for snippet in SNIPPETS[page] if snippet.slow or snippet.file])


def test_most_commands_are_run():
    counted = [snippet for own in SNIPPETS.values() for snippet in own if snippet.language in RUN]
    assert sum(snippet.skipped is None for snippet in counted) > 2 * sum(s.skipped is not None for s in counted)


def blocks(*parts):
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (blocks("```sh", "python -c 'raise SystemExit(3)'", "```"), "exit code 3, not 0"),
        (blocks("```sh", "false | true", "```"), "exit code 1"),
        (blocks("```sh", "false", "true", "```"), "exit code 1"),
        (blocks("<!-- run: exit 2 -->", "```sh", "true", "```"), "exit code 0, not 2"),
        (blocks("```python", "import printedmlp.nothing", "```"), "ModuleNotFoundError"),
        (blocks("```pycon", ">>> 1 + 1", "3", "```"), "Expected"),
    ],
)
def test_a_broken_snippet_is_found(text, why, workspace):
    with pytest.raises(SnippetError, match=rf"(?s)page\.md:\d.*{why}"):
        workspace.run(snippets_of("page.md", text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (blocks("```shell", "true", "```"), "a block in 'shell'"),
        (blocks("<!-- run: slowly -->", "```sh", "true", "```"), "'slowly' says nothing"),
        (blocks("<!-- run: no, -->", "```sh", "true", "```"), "'no,' says nothing"),
        (blocks("<!-- run: slow -->", "", "```sh", "true", "```"), "blank line"),
        (blocks("<!-- run: slow -->", "words"), "no block right below"),
        (blocks("<!-- run: slow -->", "```toml", "a = 1", "```"), "never run"),
    ],
)
def test_a_comment_that_means_nothing_is_found(text, why):
    with pytest.raises(ValueError, match=why):
        snippets_of("page.md", text)


def test_files_sessions_and_options(workspace):
    text = blocks(
        "<!-- file: here.csv -->", "```text", "a,b", "```", "```sh", "grep a,b here.csv", "```",
        "```pycon", ">>> n = 2", "```", "words", "```pycon", ">>> n + 1", "3", "```",
        "<!-- run: with 4; exit 4 -->", "```sh", "python -c 'import sys; sys.exit(int(sys.argv[1]))' \\", "```",
    )  # fmt: skip
    with pytest.raises(ValueError, match="single plain command"):
        workspace.run(snippets_of("page.md", text))
    workspace.run(snippets_of("page.md", text)[:-1])


def test_options_go_to_the_end_of_a_single_command():
    snippet = Snippet("page.md", 1, "sh", "python -m flows.design \\\n    a.csv\n", options="--seed 1")
    assert script_of(snippet).split() == ["python", "-m", "flows.design", "a.csv", "--seed", "1"]
    for text in ("python a.py\npython b.py\n", "python a.py  # all of it\n", "python a.py | head\n"):
        with pytest.raises(ValueError, match="single plain command"):
            script_of(Snippet("page.md", 1, "sh", text, options="--seed 1"))
