"""Secrets in the output of scripts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovenbird.core.blots import BLOT, blotted


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("+ export DB_PASSWORD=s3cr3t\nboom", "s3cr3t"),
        ("+ export DB_PASSWORD='two words'", "two words"),
        ("PGPASSWORD=hunter2 psql", "hunter2"),
        ("MYSQL_PWD=hunter2", "hunter2"),
        ("DB_PASS=hunter2", "hunter2"),
        ("password: hunter22", "hunter22"),
        ('{"user": "x", "password": "a b c"}', "a b c"),
        ("{'SecretAccessKey': 'abc'}", "abc"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
        ("export AWS_SESSION_TOKEN=IQoJb3JpZ2lu", "IQoJb3JpZ2lu"),
        ("key AKIAIOSFODNN7EXAMPLE is", "AKIAIOSFODNN7EXAMPLE"),
        ("api-key = 'x y z'", "x y z"),
        ("token=abc,def;ghi", "def;ghi"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("> authorization: Basic dXNlcjpwdw==", "dXNlcjpwdw"),
        ("curl -H 'Authorization: token xyz123' u", "xyz123"),
        ("bearer abcdefgh.ijk", "abcdefgh.ijk"),
        ("Set-Cookie: sid=abc; Path=/", "sid=abc"),
        ("https://user:pw@host/x", "pw"),
        ("postgres://user:p%40w@db/x", "p%40w"),
        ("redis://:only@cache", "only"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln", "c2ln"),
        ("ghp_abcdefghijklmnopqrst123", "abcdefghij"),
        ("glpat-abcdefghijklmnopqrst", "abcdefghij"),
        ("xoxb-123456789012-abcdef", "123456789012"),
        ("sk_live_abcdefghijklmnop", "abcdefghij"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=abcdef&x=1", "abcdef"),
        ("https://b.example/k?X-Amz-Security-Token=zzz", "zzz"),
        ("--db-password hunter2 --x", "hunter2"),
        ("curl -u me:pw https://x", "pw"),
        ("docker login -u AWS -p hunter2 registry", "hunter2"),
        ("mysql -uroot -phunter2 db", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "b3Bl"),
        ("b3Bl\n-----END OPENSSH PRIVATE KEY-----\nrest", "b3Bl"),
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(text: str, secret: str) -> None:
    assert secret not in blotted(text)
    assert BLOT in blotted(text)


@pytest.mark.parametrize(
    "text",
    [
        "tar: This does not look like a tar archive",
        "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt-get)",
        "PASS: test_login (0.1s)",
        "--- FAIL: TestPassword (0.00s)",
        "12 tests passed: 12",
        "unexpected token: function foo",
        "syntax error near unexpected token `fi'",
        "Unexpected token < in JSON at position 0",
        "PWD=/srv/web",
        "npm ERR! 401 Unauthorized - GET https://registry.example/left-pad",
        "An error occurred (AccessDenied) when calling the GetObject operation: Access Denied",
        "Permission denied (publickey).",
        "File \"/srv/web/app.py\", line 12, in main: KeyError: 'SESSION_STORE'",
    ],
)
def test_what_explains_a_failure_stays(text: str) -> None:
    assert blotted(text) == text


LAST = "\n\novenbird: install failed with exit code 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "Password:",
        "password =",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE\nMIIF",
        "Authorization:",
        "--password",
        "token='",
        'secret="',
        "mysql -u x -p",
        "curl -u x:",
    ],
)
def test_the_last_words_of_the_script_are_never_taken_for_a_secret(text: str) -> None:
    assert blotted(text + LAST).endswith(LAST)


@pytest.mark.parametrize(
    ("text", "values", "shown"),
    [
        pytest.param("a correct horse b", ["correct horse"], "a *** b", id="marked"),
        pytest.param("x\nline one\ny", ["line one\nline two"], "x\n***\ny", id="a line of it"),
        pytest.param("t horse b", ["correct horse"], "*** b", id="cut at the beginning"),
        pytest.param("b correct ho", ["correct horse"], "b ***", id="cut at the end"),
        pytest.param("abcdef", ["abc", "abcdef"], "***", id="the longest first"),
        pytest.param("on 1 of abc", ["1", "abc", ""], "on 1 of abc", id="too short to be told"),
    ],
)
def test_a_value_that_is_marked_is_blotted_out(text: str, values: list[str], shown: str) -> None:
    assert blotted(text, values) == shown


@given(st.text(max_size=300), st.text(min_size=4, max_size=20), st.text(max_size=300))
def test_no_marked_value_stays_whatever_is_around_it(before: str, value: str, after: str) -> None:
    told = blotted(before + value + after, [value])
    assert value not in told.replace(BLOT, "\0") or value in BLOT


@pytest.mark.parametrize(
    "hard",
    [
        "pass" * 8000,
        "://" * 10_000,
        "login " * 5000,
        '"password":' * 3000,
        "-----BEGIN PRIVATE KEY----- " * 1100,
        "mysql -" * 4500,
        "_-." * 10_000,
    ],
)
def test_no_output_takes_for_ever(hard: str) -> None:
    """Run Command returns at most 24,000 characters of one stream and 8,000 of the other."""
    began = time.monotonic()
    blotted(hard[:32_000])
    assert time.monotonic() - began < 3
