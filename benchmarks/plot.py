"""A curve that never ends is cut off here."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from PIL import Image

from benchmarks.result import Result
from benchmarks.sighting import LIMIT_PER_SECOND

COLOURS = ("#5865f2", "#2e8b57", "#c03a3e", "#b5671c")
MOST_SECONDS = 40.0
PALETTE = 64


def draw(result: Result, path: Path) -> None:
    """Draw the curves of `paced`: seconds after the first message at which each was shown."""
    mpl.use("Agg")
    curves = result.data["curves"]
    lost = {row[""]: row["lost"] for row in result.rows}
    figure, axes = plt.subplots(figsize=(7.5, 4), layout="constrained")
    messages = max(map(len, curves.values()))
    axes.plot(
        [0, messages / LIMIT_PER_SECOND], [0, messages],
        color="#888888", linestyle="--", label=f"Discord's limit, {LIMIT_PER_SECOND} a second",
    )  # fmt: skip
    for colour, (contender, seconds) in zip(COLOURS, curves.items(), strict=False):
        shown = range(1, len(seconds) + 1)
        label = f"{contender}: {lost[contender]} lost" if lost[contender] else contender
        axes.step(seconds, shown, where="post", label=label, color=colour)
    axes.set(title=result.title, xlabel="seconds after the first message", ylabel="messages shown")
    axes.set(xlim=(0, min(MOST_SECONDS, max(map(max, curves.values())))), ylim=(0, None))
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    with Image.open(path) as drawn:
        few = drawn.convert("RGB").quantize(PALETTE)
    few.save(path, optimize=True)
