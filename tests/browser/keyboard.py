"""A leader who has no mouse: what she reaches by Tab, and whether she sees where she is."""

from dataclasses import dataclass

from playwright.sync_api import Locator, Page, expect

# More stops than any page has: whoever has not come there by then is caught.
MOST_STOPS = 120
WHERE = """() => {
  const at = document.activeElement;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  const marked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const x = box.x + Math.min(box.width, innerWidth) / 2;
  const top = document.elementFromPoint(x, box.y + Math.min(box.height, 40) / 2);
  const labels = [...(at.labels ?? [])];
  const isHers = (one) =>
    at.contains(one) || one.contains(at) || labels.some((label) => label.contains(one));
  const isClear = Boolean(top) && isHers(top);
  const lid = isClear ? "" : (top?.outerHTML ?? "the edge of the window").slice(0, 160);
  return { name: at.outerHTML.slice(0, 160), isPage: at === document.body, marked, lid };
}"""


@dataclass(frozen=True)
class Keyboard:
    page: Page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def go_to(self, target: Locator, key: str = "Tab") -> None:
        """By as many stops as it takes; at each of them it is seen where she is."""
        # As long as a page is still being read, Tab goes to what happens to be there of it already.
        self.page.wait_for_load_state()
        stops = []
        for _stop in range(MOST_STOPS):
            self.page.keyboard.press(key)
            where = self.page.evaluate(WHERE)
            stops.append(where["name"])
            if not where["isPage"]:
                assert where["marked"], f"nothing marks the focus on {where['name']}"
                assert not where["lid"], f"{where['lid']} lies over {where['name']}"
            if target.evaluate("one => one === document.activeElement"):
                return
        raise AssertionError(f"{target} is not reached by {key}: {stops}")

    def go_back_to(self, target: Locator) -> None:
        self.go_to(target, "Shift+Tab")

    def is_at(self, target: Locator) -> None:
        expect(target).to_be_focused()
