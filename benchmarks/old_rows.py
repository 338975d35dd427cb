"""Writes history as years of use leave it behind, quickly: in SQL, by the database itself."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from notices.models import Channel, Notice, Study

CHANNELS_PER_STUDY = 4
# Of a hundred notices, Discord refused so many, and so many were withdrawn.
FAILED, WITHDRAWN = 12, 3
# Ids are made from it: a channel's is its study's, shifted by one digit.
GUILD = 10**17
# Rows of one transaction. A database remembers what it has to check of each until the end.
CHUNK = 250_000


@dataclass(frozen=True, slots=True)
class Past:
    """Studies by consecutive ids, and since when they write."""

    first_study: int
    studies: int
    begin: datetime

    def create(self) -> None:
        studies = range(self.first_study, self.first_study + self.studies)
        Study.objects.bulk_create(Study(id=pk, name=f"Study {pk}") for pk in studies)
        channels = Channel.objects.bulk_create(
            Channel(id=pk, guild_id=GUILD, guild_name="Guild", name=f"channel-{pk}", seen_at=None)
            for study in studies
            for pk in self.channels_of(study)
        )
        Study.channels.through.objects.bulk_create(
            Study.channels.through(study_id=channel.pk // 10 - GUILD, channel=channel)
            for channel in channels
        )

    @staticmethod
    def channels_of(study: int) -> list[int]:
        return [(GUILD + study) * 10 + n for n in range(CHANNELS_PER_STUDY)]


def add(past: Past, deliveries: int) -> None:
    """Add settled deliveries, each with its attempt, and their notices, a second apart."""
    count = deliveries // CHANNELS_PER_STUDY
    for done in range(0, count, CHUNK):
        with transaction.atomic():
            _add(past, done, min(CHUNK, count - done))


def _add(past: Past, done: int, count: int) -> None:
    first = (Notice.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    values = {
        "first": first,
        "count": count,
        "done": done,
        "begin": connection.ops.adapt_datetimefield_value(past.begin),
        "first_study": past.first_study,
        "studies": past.studies,
        "guild": GUILD,
        "channels": CHANNELS_PER_STUDY,
        "failed": FAILED,
        "withdrawn": FAILED + WITHDRAWN,
    }
    is_postgres = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        if is_postgres:
            _trust_what_comes(cursor)
        for statement in (_NOTICES, _CHANNELS, _DELIVERIES, _ATTEMPTS):
            parts = _POSTGRES if is_postgres else _SQLITE
            cursor.execute(statement.format(**parts, place=_PLACE), values)
        if is_postgres:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('notices_notice', 'id'), "
                "(SELECT max(id) FROM notices_notice))"
            )


def _trust_what_comes(cursor: CursorWrapper) -> None:
    """Skip the check of foreign keys if we may, because it takes most of the time."""
    cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
    if cursor.fetchone() == (True,):
        cursor.execute("SET LOCAL session_replication_role = replica")


_POSTGRES = {
    "numbers": "generate_series(%(done)s, %(done)s + %(count)s - 1) AS numbers(n)",
    "places": "generate_series(0, %(channels)s - 1) AS places(c)",
    "moment": "CAST(%(begin)s AS timestamptz) + n * interval '1 second'",
}
_SQLITE = {
    "numbers": "(WITH RECURSIVE numbers(n) AS (SELECT %(done)s UNION ALL SELECT n + 1 FROM numbers"
    " WHERE n + 1 < %(done)s + %(count)s) SELECT n FROM numbers) AS numbers",
    "places": "(WITH RECURSIVE places(c) AS (SELECT 0 UNION ALL SELECT c + 1 FROM places"
    " WHERE c + 1 < %(channels)s) SELECT c FROM places) AS places",
    "moment": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', %(begin)s, n || ' seconds')",
}
# A notice's place among a hundred of its study.
_PLACE = "n / %(studies)s %% 100"
_NOTICES = """
INSERT INTO notices_notice (id, study_id, title, content, author, url, image, attachments, ping,
    publish_at, withdrawn_at, created_at, changed_at, revision, fanned_out_revision,
    attached_revision, status)
SELECT %(first)s + n - %(done)s, %(first_study)s + n %% %(studies)s, 'Week ' || n,
    'We meet on Tuesday at eight, in the room on the second floor. Bring chapter ' || n || '.',
    'Minji', '', '', '[]', 'none', {moment},
    CASE WHEN {place} >= %(failed)s AND {place} < %(withdrawn)s THEN {moment} END,
    {moment}, {moment}, 1, 1, 1,
    CASE WHEN {place} < %(failed)s THEN 'failed'
        WHEN {place} < %(withdrawn)s THEN 'withdrawn' ELSE 'sent' END
FROM {numbers}
"""
_CHANNELS = """
INSERT INTO notices_notice_channels (notice_id, channel_id)
SELECT notice.id, (%(guild)s + notice.study_id) * 10 + c
FROM notices_notice AS notice CROSS JOIN {places}
WHERE notice.id >= %(first)s
"""
_DELIVERIES = """
INSERT INTO notices_delivery (notice_id, channel_id, wanted, shown, message_id, state, nonce,
    tries, setbacks, error_code, error_detail, changed_at)
SELECT notice.id, (%(guild)s + notice.study_id) * 10 + c,
    CASE WHEN notice.status <> 'withdrawn' THEN 1 END,
    CASE WHEN notice.status = 'sent' THEN 1 END,
    CASE WHEN notice.status = 'sent' THEN %(guild)s + notice.id * 10 + c END,
    notice.status, 'OLD' || (notice.id * 10 + c), 0, 0,
    CASE WHEN notice.status = 'failed' THEN 50013 END, '', notice.changed_at
FROM notices_notice AS notice CROSS JOIN {places}
WHERE notice.id >= %(first)s
"""
_ATTEMPTS = """
INSERT INTO notices_attempt (delivery_id, action, revision, nonce, claim, begun_at, ended_at,
    outcome, code, detail)
SELECT delivery.id, 'create', 1, delivery.nonce, delivery.id, delivery.changed_at,
    delivery.changed_at, CASE WHEN delivery.state = 'failed' THEN 'refused' ELSE 'shown' END,
    delivery.error_code, ''
FROM notices_delivery AS delivery
WHERE delivery.notice_id >= %(first)s
"""
