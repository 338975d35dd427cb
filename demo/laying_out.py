"""Writes the demo's rows once, and opens and closes its logins."""

from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from demo.saved_logins import SavedLogins
from demo.story import ADMIN, STUDIES, NoticeStory, StudyStory, discord_id_of, guild_named
from notices.models import ApiKey, Channel, Notice, Study
from notices.people.discord_accounts import PROVIDER

# Marks the demo's own accounts: the domain can belong to nobody (RFC 2606).
_MAIL_DOMAIN = "@demo.invalid"
_KEY_NAME = "make run: demo"


def lay_out() -> None:
    """Write all in one transaction: the queue must not fan a notice out before it has channels."""
    with transaction.atomic():
        User.objects.create_user(
            ADMIN, email=ADMIN + _MAIL_DOMAIN, is_staff=True, is_superuser=True
        )
        for story in STUDIES:
            _lay_out_study(story)


def _lay_out_study(story: StudyStory) -> None:
    leader = User.objects.create_user(
        story.leader, email=story.leader + _MAIL_DOMAIN, first_name=story.leader_name
    )
    guild = guild_named(story.guild)
    roles = {role["name"]: int(role["id"]) for role in guild.get("roles", [])}
    study = Study.objects.create(
        name=story.name,
        colour=story.colour,
        ping_role_id=roles[story.ping_role] if story.ping_role else None,
    )
    study.accounts.add(leader)
    channels = {
        channel["name"]: Channel.objects.create(
            id=int(channel["id"]),
            name=channel["name"],
            guild_id=int(guild["id"]),
            guild_name=guild["name"],
        )
        for channel in guild["channels"]
    }
    study.channels.set(channels.values())
    for notice in story.notices:
        _lay_out_notice(study, leader, channels, notice)


def _lay_out_notice(
    study: Study, leader: User, channels: dict[str, Channel], story: NoticeStory
) -> None:
    published_in = story.published_in
    notice = Notice.objects.create(
        study=study,
        title=story.title,
        content=story.content,
        author=leader.first_name,
        url=story.url,
        ping=story.ping,
        created_by=leader,
        publish_at=None if published_in is None else timezone.now() + published_in,
    )
    notice.channels.set([channels[name] for name in story.channels])


def is_laid_out() -> bool:
    return User.objects.filter(email=ADMIN + _MAIL_DOMAIN).exists()


def open_logins(kept: SavedLogins) -> None:
    """Let the kept passwords, the API key and the leaders' Discord accounts in."""
    for user in User.objects.filter(email__endswith=_MAIL_DOMAIN):
        password = kept.passwords[user.get_username()]
        if not user.check_password(password):
            user.set_password(password)
        user.is_active = True
        user.save()
        if user.get_username() != ADMIN:
            uid = discord_id_of(user.get_username())
            SocialAccount.objects.get_or_create(provider=PROVIDER, uid=uid, defaults={"user": user})
    if not ApiKey.objects.is_valid(kept.api_key):
        ApiKey.objects.filter(name=_KEY_NAME).delete()
        _made, kept.api_key = ApiKey.objects.create_key(name=_KEY_NAME, all_studies=True)
    kept.study_id = Study.objects.values_list("pk", flat=True).get(name=STUDIES[0].name)


def close_logins() -> None:
    """Close all logins that the demo printed, for use outside the demo."""
    User.objects.filter(email__endswith=_MAIL_DOMAIN).update(is_active=False)
    SocialAccount.objects.filter(user__email__endswith=_MAIL_DOMAIN).delete()
    ApiKey.objects.filter(name=_KEY_NAME).delete()
