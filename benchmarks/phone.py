"""Measures the desk on a phone and on a desktop by Lighthouse: `make lighthouse`."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.contenders import SQLITE
from benchmarks.discord_server import channel_ids, discord_server
from benchmarks.machine import ROOT
from benchmarks.result import Json, Result, Row
from benchmarks.setups import setup
from benchmarks.stack import Stack

NPM = ROOT / "benchmarks" / "lighthouse"
PROGRAM = NPM / "measure.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
RUNS = 3
MOST_ATTEMPTS = 3
DEVICES = ("phone", "desktop")
CATEGORIES = ("performance", "accessibility", "best-practices")
NOTICES = "/admin/notices/notice/"
# A leader's study after a year: a full page of the list, and a notice with its channels.
_LAY_OUT = """
import json
from datetime import timedelta
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from notices.models import Delivery, Notice, Study
leader = User.objects.create_user("minji", first_name="민지")
study = Study.objects.get(pk={study})
study.accounts.add(leader)
channels = list(study.channels.all())
now = timezone.now()
text = "이번 주에는 **동적 계획법**을 함께 풀어요.\\n\\n- 목요일 저녁 8시\\n- 교재 읽기\\n" * 4
for week in range(60):
    notice = Notice.objects.create(
        study=study, title=f"{{week}}주차 모임 안내", content=text, author="민지",
        publish_at=now - timedelta(weeks=60 - week), status="sent", fanned_out_revision=1,
    )
    notice.channels.set(channels)
    for channel in channels:
        Delivery.objects.create(
            notice=notice, channel=channel, state="sent", wanted=1, shown=1,
            message_id=notice.pk * 100 + channel.pk % 100,
        )
client = Client()
client.force_login(leader)
print(json.dumps({{"notice": notice.pk, "session": client.cookies["sessionid"].value}}))
"""


def missing() -> str:
    """Return what is missing, with the remedy."""
    if not (NPM / "node_modules").exists():
        return "Lighthouse is not installed: `make lighthouse` does it, with Node and npm"
    return "" if _browser() else "no Chromium here: install it, or set CHROMIUM to its path"


def _browser() -> str | None:
    names = (os.environ.get("CHROMIUM") or "", *BROWSERS)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def run(_contenders: list[str], folder: Path) -> Result:
    production = {"DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1"}
    channels = channel_ids(3)
    with (
        discord_server(folder, len(channels)) as discord,
        setup(SQLITE, folder) as one,
        Stack(one, discord, folder, **production) as stack,
    ):
        lay_out = _LAY_OUT.format(study=stack.add_study(channels))
        laid_out = json.loads(stack.manage("shell", "-v0", "-c", lay_out))
        stack.start("web")
        rows = list(_rows(f"http://127.0.0.1:{stack.port}", laid_out))
    how = (
        f"Lighthouse's scores of 100, the median of {RUNS} runs (the worst, of accessibility and "
        "best practices), of production's web (DEBUG=0, gunicorn) asked without a proxy, with no "
        "file kept from before. A phone's line and processor are simulated (slow 4G). LCP: when "
        "most of the page is seen."
    )
    return Result("The desk in a browser", how, rows)


def _rows(url: str, laid_out: Json) -> Iterator[Row]:
    session = str(laid_out["session"])
    pages = (
        ("login", "/admin/login/", ""),
        ("front page", "/admin/", session),
        ("list", NOTICES, session),
        ("write", f"{NOTICES}add/", session),
        ("notice", f"{NOTICES}{laid_out['notice']}/change/", session),
    )
    for device in DEVICES:
        for name, path, by in pages:
            told = [measure(url + path, device, by) for _ in range(RUNS)]
            yield _row(f"{device}: {name}", told)


def measure(url: str, device: str, session: str) -> Json:
    for _attempt in range(MOST_ATTEMPTS):
        ran = subprocess.run(
            ["node", PROGRAM, url, device, _browser() or "", session],
            capture_output=True, text=True, check=False, timeout=180,
        )  # fmt: skip
        if not ran.returncode:
            return dict(json.loads(ran.stdout))
        # A busy machine loses a browser's trace, and Lighthouse asks for another run.
    raise RuntimeError(f"Lighthouse failed at {url}: {ran.stderr[-2000:]}")


def _row(name: str, told: list[Json]) -> Row:
    scores = {
        category: [round(one["categories"][category]["score"] * 100) for one in told]
        for category in CATEGORIES
    }
    return {
        "": name,
        "performance": int(median(scores["performance"])),
        "accessibility": min(scores["accessibility"]),
        "best practices": min(scores["best-practices"]),
        "LCP, s": round(_median(told, "largest-contentful-paint") / 1000, 1),
        "blocked, ms": round(_median(told, "total-blocking-time")),
        "layout shift": round(_median(told, "cumulative-layout-shift"), 3),
        "KB": round(_median(told, "total-byte-weight") / 1000),
    }


def _median(told: list[Json], audit: str) -> float:
    return median(float(one["audits"][audit]["numericValue"]) for one in told)
