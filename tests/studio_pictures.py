"""Screenshots of Studio's pages for the docs: docs/studio/NAME.png."""

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "studio"
SIZE = {"width": 1180, "height": 760}
_HOME = """home => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data.replaceAll(home, "~");
}"""


def picture(tab, request, name, theme="light", home=None):
    """With --update-pictures: the page as it is now; else nothing.

    home: a folder of the test, shown as ~.
    """
    if not request.config.getoption("--update-pictures"):
        return
    page, was = tab.page, tab.page.viewport_size
    page.set_viewport_size(SIZE)
    page.locator(".q-notification").evaluate_all(
        "all => all.map(e => { e.style.display = 'none'; })")
    FOLDER.mkdir(exist_ok=True)
    page.evaluate(f"localStorage.setItem('beckon-theme', '{theme}'); beckonTheme.apply()")
    page.wait_for_timeout(400)
    if home is not None:
        page.evaluate(_HOME, str(home))
    page.screenshot(path=FOLDER / f"{name}.png")
    page.evaluate("localStorage.removeItem('beckon-theme'); beckonTheme.apply()")
    page.set_viewport_size(was)
