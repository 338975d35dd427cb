"""No file grows past what a reader takes in, and notices/ stays a house with rooms."""

from pathlib import Path

from tests.project.test_imports import BASE_DIR, source_files

MOST_LINES = 450
# It keeps the central tables together, so that whoever opens it sees the domain.
MOST_LINES_OF_MODELS = 650
MOST_FILES_OUTSIDE_OF_ROOMS = 20


def most_lines_of(path: Path) -> int:
    return MOST_LINES_OF_MODELS if path == BASE_DIR / "notices/models.py" else MOST_LINES


def test_no_file_is_too_long() -> None:
    hand_written = [path for path in source_files() if "migrations" not in path.parts]
    long = {
        str(path.relative_to(BASE_DIR)): lines
        for path in hand_written
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > most_lines_of(path)
    }
    assert long == {}


def test_notices_keeps_its_files_in_rooms() -> None:
    assert len(list((BASE_DIR / "notices").glob("*.py"))) <= MOST_FILES_OUTSIDE_OF_ROOMS
