"""The benchmarks count the messages that were lost and those that came twice."""

from pathlib import Path

from benchmarks import jobs, report
from benchmarks.discord_server import channel_ids, discord_server
from benchmarks.result import Row
from benchmarks.sighting import look


def test_lost_and_doubled_messages_are_counted(tmp_path: Path) -> None:
    here, there = channel_ids(2)
    sent = [(here, "once"), (here, "twice"), (here, "twice"), (there, "unwanted")]
    wanted = [(here, "once"), (here, "twice"), (there, "never")]
    with discord_server(tmp_path, 2) as discord:
        job = {"way": "queue and worker", "api_url": discord.api_url, "messages": sent}
        jobs.run("benchmarks.rivals", job)
        sighting = look(discord, wanted)
    assert (sighting.lost, sighting.doubled, sighting.refused) == (1, 1, 0)
    assert len(sighting.curve()) == 3
    assert sighting.curve()[0] == 0


def test_a_table_leaves_out_the_columns_that_nobody_fills() -> None:
    rows: list[Row] = [{"": "one", "a": 1234, "b": ""}, {"": "two", "a": "", "b": ""}]
    assert report.table(rows) == (
        "|     |     a |\n| --- | ----: |\n| one | 1,234 |\n| two |       |\n"
    )
