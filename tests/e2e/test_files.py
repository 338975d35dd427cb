"""A notice with files is shown once, with all of them, whenever its bot is killed."""

import json

import pytest

from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

FILE = "계획 표.txt"
_WRITE = """
from django.utils import timezone
from notices.actions import hold_uploads
from notices.files.attached import entries
from notices.files.uploads import Sent, keep
from notices.models import Channel, Notice, Study
study = Study.objects.create(name="알고리즘")
channel, _made = Channel.objects.get_or_create(id={channel})
study.channels.add(channel)
files = entries(None, [keep(Sent("{file}", b"plan" * 100_000), by=None)])
notice = Notice.objects.create(
    study=study, title="8주차", content="c", publish_at=timezone.now(), attachments=files
)
hold_uploads(notice)
notice.channels.add(channel)
print(notice.pk)
"""
_STATUS = "from notices.models import Notice; print(Notice.objects.get().status)"
_EDIT = "from notices.models import Notice; n = Notice.objects.get(); n.title = '9주차'; n.save()"


@pytest.mark.parametrize(
    "fault",
    [{"kind": "hang", "after": True}, {"kind": "hang"}],
    ids=["when it is shown and not answered", "when it is not shown"],
)
def test_a_bot_that_is_killed_with_a_file_on_its_way_leaves_one_message(
    stack: Stack, discord: FakeDiscordProcess, fault: dict[str, object]
) -> None:
    [channel, *_others] = stack.text_channels()
    discord.fault(**fault, method="POST", path="/messages$", times=1)
    stack.start("runbot")
    stack.manage("shell", "-v0", "-c", _WRITE.format(channel=channel, file=FILE))
    wait_for(lambda: discord.faults()[0]["hits"], "the file is on its way")
    stack.kill("runbot")
    discord.clear_faults()

    stack.start("runbot")

    wait_for(lambda: stack.manage("shell", "-v0", "-c", _STATUS) == "sent", "it is sent")
    assert_shown_once(discord, channel, "8주차")
    stack.manage("shell", "-v0", "-c", _EDIT)
    wait_for(lambda: stack.shown(channel) == ["9주차"], "its words are changed")
    assert_shown_once(discord, channel, "9주차")


def assert_shown_once(discord: FakeDiscordProcess, channel: str, title: str) -> None:
    [message] = discord.messages(channel)
    assert message["embeds"][0]["title"] == title
    [attachment] = message["attachments"]
    assert attachment["title"] == "계획_표", json.dumps(message)
    assert discord.read(attachment["url"].removeprefix(discord.url)) == b"plan" * 100_000
