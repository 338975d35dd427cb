"""The desk's static files in production: collected, compressed, and named by what is in them."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Names the sources that were collected, so that those of another version are told from them.
SOURCES_NAME = "sources.sha256"


class StaticFiles(StaticFilesConfig):
    # No page shows Redoc or REST framework's own pages, and a map is for debuggers.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "redoc", "rest_framework", "*.map"]

    def ready(self) -> None:
        super().ready()
        register(check_collected, Tags.staticfiles, deploy=True)


class CollectedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    # A map that is not collected would be missed by the file that names it.
    patterns = tuple(
        (names, tuple(found for found in patterns if "sourceMappingURL" not in str(found)))
        for names, patterns in CompressedManifestStaticFilesStorage.patterns
    )

    def post_process(self, paths: Any, dry_run: bool = False, **options: Any) -> Iterator[Any]:
        yield from super().post_process(paths, dry_run=dry_run, **options)
        if not dry_run:
            self.delete(SOURCES_NAME)
            self.save(SOURCES_NAME, ContentFile(digest_of_sources()))


def digest_of_sources() -> str:
    sources: dict[str, Any] = {}
    for finder in get_finders():
        for path, storage in finder.list(StaticFiles.ignore_patterns):
            # Of two files of one name the first is collected.
            sources.setdefault(path, storage)
    digest = hashlib.sha256()
    for path, storage in sorted(sources.items()):
        with storage.open(path) as file:
            digest.update(path.encode() + b"\0" + file.read() + b"\0")
    return digest.hexdigest()


def refuse_uncollected() -> None:
    """A page that names a file which was not collected answers 500, the login page among them."""
    if settings.DEBUG:
        return
    try:
        with staticfiles_storage.open(SOURCES_NAME) as file:
            collected = file.read().decode()
    except FileNotFoundError:
        collected = ""
    if collected != digest_of_sources():
        lack = "are of another version" if collected else "are not collected yet"
        raise ImproperlyConfigured(
            f"the static files in STATIC_ROOT={str(settings.STATIC_ROOT)!r} {lack}: "
            "run `python manage.py collectstatic --noinput`, then start again."
        )


def check_collected(**_options: Any) -> list[CheckMessage]:
    try:
        refuse_uncollected()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="studybot.E001")]
    return []
