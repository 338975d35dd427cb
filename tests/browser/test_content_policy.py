"""Scripts that somebody smuggles into a page do not run."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.desk import Desk
from tests.browser.policy import is_violation

pytestmark = pytest.mark.browser

SMUGGLED = {
    "a script": "<script>ran = true</script>",
    "a script of elsewhere": "<script src='http://127.0.0.1:9/x.js'></script>",
    "a handler": "<img src='data:,' onerror='ran = true'>",
    "a link that is a script": "<a href='javascript:ran = true' id='smuggled'>x</a>",
    "a frame": "<iframe src='http://127.0.0.1:9/'></iframe>",
    "a plug-in": "<object data='http://127.0.0.1:9/x.swf'></object>",
    "another base": "<base href='http://127.0.0.1:9/'>",
    "a form to elsewhere": "<form action='http://127.0.0.1:9/'><button id='smuggled'>x</form>",
}
# As the parser does it: of what is set as innerHTML no script would run anyway.
INSERT = """html => {
  window.ran = false;
  document.body.append(document.createRange().createContextualFragment(html));
  document.querySelector("#smuggled")?.click();
}"""


@pytest.fixture
def login_page(browser: Browser, desk: Desk) -> Page:
    page = browser.new_context().new_page()
    page.goto(f"{desk.url}/admin/login/")
    return page


@pytest.mark.parametrize("html", SMUGGLED.values(), ids=SMUGGLED)
def test_a_smuggled_script_is_forbidden(login_page: Page, html: str) -> None:
    with login_page.expect_console_message(is_violation):
        login_page.evaluate(INSERT, html)
    assert login_page.evaluate("window.ran") is False
    login_page.context.close()
