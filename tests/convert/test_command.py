"""`guard convert` as a user meets it."""

import gzip
import json

import pytest
import typer
import zstandard
from typer.testing import CliRunner

from guard.cli.convert import convert
from guard.errors import InputError, UsageError
from tests.support.traces import AZURE

app = typer.Typer()
app.command()(convert)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(AZURE)
    return path


def run(*words):
    return CliRunner().invoke(app, ["--from", "azure2023", "--start", "1790000000000", *map(str, words)], catch_exceptions=True)


def test_plain_and_packed_files_hold_the_same_events_and_repeat_byte_by_byte(source, tmp_path):
    """Traces are large; packing one must not change what a replay decides."""
    written = {}
    for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.gz", "d.jsonl.zst"):
        assert run(source, "--out", tmp_path / name).exit_code == 0
        written[name] = (tmp_path / name).read_bytes()

    assert gzip.decompress(written["b.jsonl.gz"]) == written["a.jsonl"]
    assert zstandard.ZstdDecompressor().decompressobj().decompress(written["d.jsonl.zst"]) == written["a.jsonl"]
    assert written["b.jsonl.gz"] == written["c.jsonl.gz"]


def test_the_mapping_can_be_asked_for_without_a_file():
    """Whoever judges a result must know which column became which field."""
    result = run("--mapping")

    assert "input_tokens" in result.output
    assert "ContextTokens" in result.output


def test_the_summary_is_for_programs_too(source, tmp_path):
    """Scripts read the counts."""
    result = run(source, "--out", tmp_path / "a.jsonl", "--json")

    assert json.loads(result.stdout) == {
        "events": 2, "accounts": 1, "bad_lines": 0, "first_at": 1_790_000_000_000, "last_at": 1_790_000_000_052,
    }  # fmt: skip


def test_an_unreadable_source_leaves_no_file_behind(tmp_path):
    """An empty output would pass for a converted one."""
    bad = tmp_path / "bad.csv"
    bad.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\nx,y,z\n")
    result = run(bad, "--out", tmp_path / "a.jsonl")

    assert isinstance(result.exception, InputError)
    assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize(("words", "error"), [((), UsageError), (("/nowhere/x.csv",), InputError)])
def test_a_missing_source_is_named(words, error):
    """The commonest mistake gets the clearest line."""
    assert isinstance(run(*words).exception, error)


def test_an_output_that_cannot_be_written_is_named(source):
    """Better at once than after an hour of converting."""
    error = run(source, "--out", "/nowhere/a.jsonl").exception

    assert isinstance(error, InputError)
    assert "/nowhere/a.jsonl" in str(error)
