"""In the bar with the buttons stands where a notice goes, and where the bot cannot write."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cast import HOMEWORK, NEWS
from tests.browser.desk import Desk, OpenDesk

pytestmark = pytest.mark.browser

_LOCK_HOMEWORK = f"""
from django.utils import timezone
from notices.models import Channel
seen = Channel.objects.filter(pk={HOMEWORK})
seen.update(seen_at=timezone.now(), permissions=((1 << 53) - 1 - (1 << 11)))
"""


@pytest.fixture
def phone(desk: Desk, open_desk: OpenDesk) -> Page:
    desk.manage("shell", "-v0", "-c", _LOCK_HOMEWORK)
    return open_desk(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)


def test_a_channel_that_the_bot_cannot_write_to_is_marked_in_the_bar_once_it_is_ticked(
    phone: Page,
) -> None:
    """It is not ticked beforehand; who ticks it need not scroll back to its warning."""
    bar = phone.locator("#going-to")
    expect(bar).to_have_text("→ #공지")
    expect(bar).to_be_in_viewport()
    locked = phone.locator(f"[name=channels][value='{HOMEWORK}']")
    expect(locked).not_to_be_checked()
    expect(phone.locator(f"[name=channels][value='{NEWS}']")).to_be_checked()
    locked.check()
    expect(bar).to_have_text("→ #공지, ⚠ #과제")
    expect(bar).to_be_in_viewport()
