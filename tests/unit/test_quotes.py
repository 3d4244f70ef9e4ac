"""What others wrote, as it may stand in our sentences and notices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core import quotes


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("see https://x.example/a", "see https[:]//x.example/a", id="a link"),
        pytest.param("HTTP:\\\\x.example", "HTTP[:]\\\\x.example", id="backslashes"),
        pytest.param("write to mailto:a@b.example", "write to mailto[:]a@b.example", id="mailto"),
        pytest.param("TEL:+15550100", "TEL[:]+15550100", id="a number to call"),
        pytest.param("www.x.example", "www[.]x.example", id="www"),
        pytest.param("10:30: arn:aws:s3:::b/k", "10:30: arn:aws:s3:::b/k", id="no link"),
        pytest.param("s3://acme/web.tar", "s3[:]//acme/web.tar", id="a place"),
    ],
)
def test_links_are_broken_up(text: str, shown: str) -> None:
    assert quotes.defanged(text) == shown


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \n", [], id="blank"),
        pytest.param("fix: the log-in page", ["> fix: the log-in page"], id="a commit's message"),
        pytest.param("one\n\ntwo", ["> one", ">", "> two"], id="every line is marked"),
        pytest.param("a\u2028b\x85c\x0bd", ["> a", "> b", "> c", "> d"], id="whatever ends a line"),
        pytest.param("a\rWhat to do: pay", ["> a", "> What to do: pay"], id="a carriage return"),
        pytest.param("\u202edlrow", ["> dlrow"], id="no other direction"),
        pytest.param("sign in at evil.com", ["> sign in at evil[.]com"], id="a host"),
        pytest.param("a.b.museum/login", ["> a.b[.]museum/login"], id="a host with a path"),
        pytest.param("mail@evil.example", ["> mail@evil[.]example"], id="an address"),
        pytest.param("tar: app.tar.gz: ./etc/x", ["> tar: app.tar.gz: ./etc/x"], id="files"),
    ],
)
def test_what_others_wrote_stands_in_marked_lines(text: str, lines: list[str]) -> None:
    assert quotes.block(text) == lines


@given(st.text())
def test_no_line_of_a_block_can_be_taken_for_ours(text: str) -> None:
    written = "\n".join(quotes.block(text))
    assert all(line.startswith(">") for line in written.splitlines())
    assert "://" not in written


@pytest.mark.parametrize(
    ("revision", "label"),
    [
        pytest.param("4f1c2d7", "4f1c2d7", id="a commit"),
        pytest.param("v1.2.3-rc1+7", "v1.2.3-rc1+7", id="a version"),
        pytest.param("feature/login", "feature-login", id="a branch"),
        pytest.param("https://evil.example", "", id="a link"),
        pytest.param("evil.example", "evil-example", id="a host"),
        pytest.param("call us now", "", id="a sentence"),
        pytest.param("-rf", "", id="an option"),
        pytest.param("é", "", id="other letters"),
        pytest.param("", "", id="nothing"),
        pytest.param("a" * 30, "a" * 21 + "...", id="too long"),
    ],
)
def test_a_subject_has_of_a_revision_what_looks_like_one(revision: str, label: str) -> None:
    assert quotes.label(revision) == label
