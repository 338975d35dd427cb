"""`.env` is read as editors save it; what cannot be read is named and never repeated."""

import codecs
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from studybot import dotenv_file


def read(folder: Path, data: bytes | str) -> dict[str, str]:
    path = folder / ".env"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return dotenv_file.read(path)


def refusal(folder: Path, data: bytes | str) -> str:
    with pytest.raises(ImproperlyConfigured) as refused:
        read(folder, data)
    return str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        "BOT_TOKEN=a-token", "export BOT_TOKEN=a-token", "BOT_TOKEN = a-token",
        'BOT_TOKEN="a-token"', "BOT_TOKEN='a-token'", "  BOT_TOKEN=a-token  ",
        "BOT_TOKEN=a-token # of the bot", "BOT_TOKEN=a-token\r",
    ],
)  # fmt: skip
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_line_is_read_as_people_write_it(line: str, mark: bytes, tmp_path: Path) -> None:
    found = read(tmp_path, mark + f"{line}\nLOG_LEVEL=INFO\n".encode())
    assert found == {"BOT_TOKEN": "a-token", "LOG_LEVEL": "INFO"}


def test_comments_and_empty_values_are_no_mistake(tmp_path: Path) -> None:
    assert read(tmp_path, "# 봇\n\nDEBUG=\n   # end") == {"DEBUG": ""}


def test_no_file_has_no_lines(tmp_path: Path) -> None:
    assert dotenv_file.read(tmp_path / ".env") == {}


def test_a_file_that_cannot_be_read_is_refused_instead_of_left_out(tmp_path: Path) -> None:
    """Docker makes a folder if the file that it is to mount does not exist."""
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(tmp_path / "moved away")
    for path in (folder, link):
        with pytest.raises(ImproperlyConfigured, match=r"cannot be read .*: it is to be a file"):
            dotenv_file.read(path)


def test_a_pipe_is_read_as_a_file(tmp_path: Path) -> None:
    """Password managers put a pipe there."""
    os.mkfifo(path := tmp_path / ".env")
    with ThreadPoolExecutor() as writer:
        written = writer.submit(path.write_text, "BOT_TOKEN=a-token\n")
        assert dotenv_file.read(path) == {"BOT_TOKEN": "a-token"}
        written.result()


def test_a_virtual_environment_of_that_name_is_ignored(tmp_path: Path) -> None:
    (path := tmp_path / ".env").mkdir()
    (path / "pyvenv.cfg").touch()
    assert dotenv_file.read(path) == {}


@pytest.mark.parametrize(
    "line",
    [
        "BOT_TOKEN: hunter2", "BOT_TOKEN hunter2", "BOT_TOKEN:hunter2", "BOT_TOKEN: hunter2=x",
        'BOT_TOKEN: "hunter2"', "export BOT_TOKEN hunter2", "BOT_TOKEN\thunter2",
        "set BOT_TOKEN hunter2", "BOT_TOKEN : hunter2",
    ],
)  # fmt: skip
def test_a_line_that_is_no_assignment_is_named_without_its_value(line: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, f"# fine\n\nLOG_LEVEL=INFO\n{line}\nDEBUG=0\n")
    assert ".env, line 4: what is written there for BOT_TOKEN is not of the form NAME=value" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "line",
    [
        "hunter2", '{"BOT_TOKEN": "hunter2"}', "BOT_TOKEN＝hunter2", "=hunter2",
        'BOT_TOKEN="hunter2', "BOT_TOKEN='hunter2", "$env:BOT_TOKEN='hunter2'", "bot-token=hunter2",
        'BOT_TOKEN="hunter2\nSECRET_KEY="x"', '"BOT_TOKEN"="hunter2"', "- BOT_TOKEN=hunter2",
    ],
)  # fmt: skip
def test_any_other_line_is_named_by_its_number(line: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, f"LOG_LEVEL=INFO\n{line}\n")
    assert ".env, line 2:" in said
    assert "is not of the form NAME=value" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("BOT_TOKEN=hunter2 # 봇의 토큰\n".encode("utf-16"), "UTF-16"),
        ("BOT_TOKEN=hunter2\n".encode("utf-16-le"), "UTF-16"),
        ("BOT_TOKEN=hunter2\n".encode("utf-16-be"), "UTF-16"),
        (codecs.BOM_UTF16_BE + "BOT_TOKEN=hunter2\n".encode("utf-16-be"), "UTF-16"),
        ("BOT_TOKEN=hunter2\n".encode("utf-32"), "UTF-32"),
        ("# 봇의 토큰\nBOT_TOKEN=hunter2\n".encode("cp949"), "CP949"),
        ("# 봇의 토큰\r\nBOT_TOKEN=hunter2\r\n".encode("euc-kr"), "CP949"),
        ("# clé\nBOT_TOKEN=hunter2\n".encode("latin-1"), "an encoding that is not UTF-8"),
    ],
)
def test_another_encoding_is_named(data: bytes, encoding: str, tmp_path: Path) -> None:
    said = refusal(tmp_path, data)
    assert f"is written in {encoding}" in said
    assert "save it as UTF-8" in said
    assert "hunter2" not in said
