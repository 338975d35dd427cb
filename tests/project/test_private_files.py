"""The files in var/ are for their owner alone, and a disk that cannot be written is told."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from studybot import private_files

BASE_DIR = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_that_others_could_read_is_put_right_with_all_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "var"
    below = folder / "static" / "admin"
    below.mkdir(parents=True)
    files = [folder / "secret_key", folder / "studybot.sqlite3-wal", below / "base.css"]
    for file in files:
        file.write_text("x")
        file.chmod(0o664)
    private_files.own(folder)
    assert [mode(path) for path in (folder, folder / "static", below)] == [0o700] * 3
    assert [mode(path) for path in files] == [0o600] * 3


def test_a_file_that_was_left_open_in_a_closed_folder_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "secret_key").write_text("x")
    private_files.own(tmp_path)
    assert mode(tmp_path / "secret_key") == 0o600


def test_files_made_afterwards_are_for_their_owner_alone(tmp_path: Path) -> None:
    private_files.own(tmp_path / "var")
    (tmp_path / "var" / "new").write_text("x")
    assert mode(tmp_path / "var" / "new") == 0o600


def test_the_target_of_a_link_keeps_its_mode(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x")
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "link").symlink_to(elsewhere)
    private_files.own(folder)
    assert mode(elsewhere) == 0o644


def test_a_folder_that_cannot_be_made_is_refused_only_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    folder = tmp_path / "file" / "var"
    private_files.own(folder)
    with pytest.raises(ImproperlyConfigured, match=r"cannot be written to \(.*\), and it is"):
        private_files.refuse_unwritable(folder, "it is needed", "Make it.")


@pytest.mark.parametrize(
    "start",
    [
        "import studybot.settings",
        "from studybot.wsgi import application",
        "import manage, sys; sys.argv = ['manage.py', 'help']; manage.main()",
    ],
)
def test_every_start_takes_other_peoples_rights_away(start: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    subprocess.run(
        [sys.executable, "-c", f"{start}\nopen({str(made)!r}, 'w')"],
        cwd=BASE_DIR, env={**os.environ, "DEBUG": "1"}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert mode(made) == 0o600
