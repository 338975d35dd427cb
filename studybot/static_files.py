"""Serves the desk's static files: collected, compressed, and named by their content.

If they are not collected, or by another version, they are served from their sources: the desk is
slower on a phone then and the log says so, but it works.
"""

import hashlib
import logging
from collections.abc import Iterator

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from whitenoise.storage import CompressedManifestStaticFilesStorage

log = logging.getLogger(__name__)

# The digest of the collected sources, which tells other versions apart.
SOURCES_NAME = "sources.sha256"


class StaticFiles(StaticFilesConfig):
    # No page shows Redoc or REST framework's own pages, and a map is for debuggers.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc", "rest_framework", "*.map"]

    def ready(self) -> None:
        super().ready()
        checks.register(check_collected, checks.Tags.staticfiles, deploy=True)


class CollectedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    # A file that names a map would fail without it, and maps are not collected.
    patterns = tuple(
        (names, tuple(found for found in patterns if "sourceMappingURL" not in str(found)))
        for names, patterns in CompressedManifestStaticFilesStorage.patterns
    )

    def load_manifest(self) -> tuple[dict[str, str], str]:
        """Forget what another version collected, because its scripts do not fit these pages."""
        return ({}, "") if lack_of_collected(self) else super().load_manifest()

    def stored_name(self, name: str) -> str:
        stored: str = super().stored_name(name) if self.hashed_files else name
        return stored

    def post_process(
        self, paths: dict[str, tuple[Storage, str]], dry_run: bool = False, **options: object
    ) -> Iterator[tuple[str, str | None, bool | Exception]]:
        yield from super().post_process(paths, dry_run=dry_run, **options)
        if not dry_run:
            self.delete(SOURCES_NAME)
            self.save(SOURCES_NAME, ContentFile(digest_of_sources()))


def digest_of_sources() -> str:
    sources: dict[str, Storage] = {}
    for finder in get_finders():
        for path, storage in finder.list(StaticFiles.ignore_patterns):
            # Of two files with one name the first is collected.
            sources.setdefault(path, storage)
    digest = hashlib.sha256()
    for path, storage in sorted(sources.items()):
        with storage.open(path) as file:
            digest.update(path.encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()


def lack_of_collected(storage: Storage) -> str:
    """Return what is wrong with the collected files, in words; "" if they are this version's."""
    try:
        with storage.open(SOURCES_NAME) as file:
            collected = file.read().decode(errors="replace")
    except OSError:
        return "are not collected"
    return "" if collected == digest_of_sources() else "were collected by another version"


def explained_lack() -> str:
    if settings.DEBUG or not (lack := lack_of_collected(staticfiles_storage)):
        return ""
    return (
        f"The static files in STATIC_ROOT={str(settings.STATIC_ROOT)!r} {lack}, so that the desk "
        "is slow on a phone: run `python manage.py collectstatic --noinput` and start the web anew."
    )


def warn_of_uncollected() -> None:
    if lack := explained_lack():
        log.warning("%s", lack)


def check_collected(**_options: object) -> list[checks.CheckMessage]:
    return [checks.Warning(lack, id="studybot.W001")] if (lack := explained_lack()) else []
