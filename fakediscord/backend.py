"""Holds all parts of the fake Discord for its routes."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from fakediscord.answers import Answers
from fakediscord.chronicle import Chronicle
from fakediscord.commands import Commands
from fakediscord.connections import Connections
from fakediscord.faults import Faults
from fakediscord.files import Files
from fakediscord.gateway import Gateway
from fakediscord.interactions import Interactions
from fakediscord.journal import Journal
from fakediscord.limits import Limits
from fakediscord.messages import Messages
from fakediscord.settings import Settings
from fakediscord.tokens import Tokens
from fakediscord.uploads import Uploads
from fakediscord.world import World


@dataclass
class Backend:
    world: World
    settings: Settings
    tokens: Tokens
    messages: Messages
    commands: Commands
    interactions: Interactions
    answers: Answers
    gateway: Gateway
    connections: Connections
    limits: Limits
    chronicle: Chronicle
    files: Files
    uploads: Uploads
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    api_url: str = ""


def make_backend(world: World, settings: Settings, tokens: Iterable[str], files: Files) -> Backend:
    known = Tokens(tokens)
    messages = Messages(world, settings, files)
    interactions = Interactions(world, messages, settings)
    gateway = Gateway(world, settings, known)
    return Backend(
        world=world,
        settings=settings,
        tokens=known,
        messages=messages,
        commands=Commands(world),
        interactions=interactions,
        answers=Answers(world, messages, interactions, settings),
        gateway=gateway,
        connections=Connections(gateway),
        limits=Limits(settings),
        chronicle=Chronicle(world),
        files=files,
        uploads=Uploads(files, world.snowflakes, settings),
    )
