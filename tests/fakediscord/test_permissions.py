"""A member's permissions in a channel come from its roles, then from the overwrites, in order."""

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakediscord import permissions
from fakediscord.layout import DEFAULT_LAYOUT, lay_out, read_layout
from fakediscord.permissions import bits_of, in_channel, of_member
from tests.fakediscord.cast import BOT, LAYOUT, LEADER, MEMBER, QUIET, STAFF, STUDY, TALK

EVERYONE, ROLE, OTHER_ROLE, PERSON = "1", "2", "3", "9"
SEES = permissions.VIEW_CHANNEL
SENDS = permissions.SEND_MESSAGES
LINKS = permissions.EMBED_LINKS


def person(*roles: str) -> dict[str, object]:
    return {"user": {"id": PERSON}, "roles": list(roles)}


def overwrite(target: str, *, allow: int = 0, deny: int = 0) -> dict[str, object]:
    kind = int(target == PERSON)
    return {"id": target, "type": kind, "allow": str(allow), "deny": str(deny)}


def test_roles_add_up() -> None:
    roles = {
        EVERYONE: {"permissions": str(SEES)},
        ROLE: {"permissions": str(SENDS)},
        OTHER_ROLE: {"permissions": str(LINKS)},
    }
    assert of_member(roles, EVERYONE, person(ROLE, "gone")) == SEES | SENDS


def test_an_administrator_may_everything_everywhere() -> None:
    roles = {EVERYONE: {"permissions": str(permissions.ADMINISTRATOR)}}
    base = of_member(roles, EVERYONE, person())
    denied = [overwrite(PERSON, deny=SEES)]
    assert in_channel(base, denied, EVERYONE, person()) == permissions.ALL


@pytest.mark.parametrize(
    ("overwrites", "may_send"),
    [
        ([overwrite(EVERYONE, deny=SENDS)], False),
        ([overwrite(EVERYONE, deny=SENDS), overwrite(ROLE, allow=SENDS)], True),
        ([overwrite(ROLE, deny=SENDS), overwrite(OTHER_ROLE, allow=SENDS)], True),
        ([overwrite(ROLE, allow=SENDS), overwrite(PERSON, deny=SENDS)], False),
        ([overwrite(ROLE, deny=SENDS), overwrite(PERSON, allow=SENDS)], True),
        ([overwrite("7", deny=SENDS)], True),
    ],
)
def test_overwrites_go_from_everyone_over_roles_to_the_member(
    overwrites: list[dict[str, object]], may_send: bool
) -> None:
    held = in_channel(SEES | SENDS, overwrites, EVERYONE, person(ROLE, OTHER_ROLE))
    assert bool(held & SENDS) is may_send


def test_a_person_who_does_not_see_a_channel_may_do_nothing_there() -> None:
    assert in_channel(SENDS | LINKS, [], EVERYONE, person()) == 0


def test_a_person_who_may_not_write_may_not_embed_attach_or_mention() -> None:
    base = SEES | LINKS | permissions.ATTACH_FILES | permissions.MENTION_EVERYONE
    assert in_channel(base, [], EVERYONE, person()) == SEES


def test_the_owner_may_everything_and_a_stranger_nothing() -> None:
    world = lay_out(LAYOUT)
    assert world.permissions(STAFF, LEADER) == permissions.ALL
    assert world.permissions(STAFF, "1") == 0
    assert not world.permissions(STAFF, BOT) & SEES
    assert world.permissions(QUIET, BOT) & SEES
    assert not world.permissions(QUIET, BOT) & SENDS


def test_a_changed_role_changes_its_members_permissions() -> None:
    world = lay_out(LAYOUT)
    assert world.permissions(TALK, MEMBER) & SENDS
    guild = world.guild(STUDY)
    world.put_role(guild, {**guild.roles[STUDY], "permissions": str(SEES)})
    assert not world.permissions(TALK, MEMBER) & SENDS


def test_the_names_are_discords_bits() -> None:
    for name, bit in permissions.BITS.items():
        known = discord.Permissions(**{renamed(name): True})
        assert known.value == 1 << bit, name


def renamed(name: str) -> str:
    return {"VIEW_CHANNEL": "view_channel", "USE_EXTERNAL_EMOJIS": "use_external_emojis"}.get(
        name, name.lower()
    )


def test_bits_are_read_from_names_and_numbers() -> None:
    assert bits_of(["VIEW_CHANNEL", "SEND_MESSAGES"]) == SEES | SENDS
    assert bits_of("3072") == bits_of(3072) == SEES | SENDS


some_bits = st.integers(min_value=0, max_value=permissions.ALL)


@given(base=some_bits, everyone=some_bits, role=some_bits, own=some_bits)
@settings(max_examples=50, deadline=None)
def test_allowing_everything_to_the_member_leaves_nothing_denied(
    base: int, everyone: int, role: int, own: int
) -> None:
    overwrites = [
        overwrite(EVERYONE, deny=everyone),
        overwrite(ROLE, deny=role),
        overwrite(PERSON, allow=permissions.ALL, deny=own),
    ]
    assert in_channel(base, overwrites, EVERYONE, person(ROLE)) == permissions.ALL


def test_in_the_default_layout_the_bot_lacks_rights_in_one_channel() -> None:
    world = read_layout(DEFAULT_LAYOUT)
    needed = SEES | SENDS | LINKS | permissions.READ_MESSAGE_HISTORY
    lacking = [
        channel_id
        for channel_id in world.guild_of
        if world.permissions(channel_id, world.me) & needed != needed
    ]
    assert len(lacking) == 1
    assert len({(int(guild_id) >> 22) % 2 for guild_id in world.guilds}) == 2
