"""The cast: a leader and her study, a leader of another study, a site admin, a stranger."""

import gc
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from notices.models import Channel, Notice, Study


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file in one process, as some share what a fixture has built.

    Those in `e2e` and `simulation` share nothing.
    """
    for item in items:
        if item.path.parent.name not in ("e2e", "simulation"):
            item.add_marker(pytest.mark.xdist_group(item.location[0]))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end: all modules, and thousands of tests."""
    gc.freeze()


@pytest.fixture
def channel(db: None) -> Channel:
    return Channel.objects.create(
        id=1100000000000000011, guild_id=1100000000000000001, guild_name="알고리즘", name="공지"
    )


@pytest.fixture
def second_channel(db: None) -> Channel:
    return Channel.objects.create(
        id=1100000000000000012, guild_id=1100000000000000001, guild_name="알고리즘", name="과제"
    )


@pytest.fixture
def other_channel(db: None) -> Channel:
    return Channel.objects.create(
        id=1100000000000000021, guild_id=1100000000000000002, guild_name="독서", name="공지"
    )


@pytest.fixture
def leader(db: None) -> User:
    return User.objects.create_user("minji", password="a-leaders-password")


@pytest.fixture
def other_leader(db: None) -> User:
    return User.objects.create_user("junho", password="another-leaders-password")


@pytest.fixture
def stranger(db: None) -> User:
    return User.objects.create_user("stranger", password="a-strangers-password")


@pytest.fixture
def site_admin(db: None) -> User:
    return User.objects.create_superuser("admin", password="a-site-admins-password")


@pytest.fixture
def study(leader: User, channel: Channel, second_channel: Channel) -> Study:
    study = Study.objects.create(name="알고리즘 스터디")
    study.accounts.add(leader)
    study.channels.add(channel, second_channel)
    return study


@pytest.fixture
def other_study(other_leader: User, other_channel: Channel) -> Study:
    study = Study.objects.create(name="독서 모임")
    study.accounts.add(other_leader)
    study.channels.add(other_channel)
    return study


@pytest.fixture
def notice(study: Study, channel: Channel) -> Notice:
    """Published, for one channel, not fanned out yet."""
    notice = Notice.objects.create(
        study=study,
        title="7주차 모임",
        content="화요일 20시",
        author="민지",
        publish_at=timezone.now(),
    )
    notice.channels.add(channel)
    return notice


@pytest.fixture
def other_notice(other_study: Study, other_channel: Channel) -> Notice:
    notice = Notice.objects.create(
        study=other_study, title="이달의 책", content="소년이 온다", publish_at=timezone.now()
    )
    notice.channels.add(other_channel)
    return notice


@pytest.fixture
def no_database(transactional_db: None) -> Iterator[None]:
    """The database is away, as seen by this process."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/no/such/database"
    yield
    connection.close()
    connection.settings_dict["NAME"] = name
