"""Screenshots of Studio's pages for the docs: docs/studio/NAME.png."""

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "docs" / "studio"
SIZE = {"width": 1180, "height": 760}


def picture(tab, request, name, theme="light"):
    """With --update-pictures: the page as it is now; else nothing."""
    if not request.config.getoption("--update-pictures"):
        return
    page, was = tab.page, tab.page.viewport_size
    page.set_viewport_size(SIZE)
    page.locator(".q-notification").evaluate_all("all => all.map(e => e.remove())")
    FOLDER.mkdir(exist_ok=True)
    page.evaluate(f"localStorage.setItem('beckon-theme', '{theme}'); beckonTheme.apply()")
    page.wait_for_timeout(400)
    page.screenshot(path=FOLDER / f"{name}.png")
    page.evaluate("localStorage.removeItem('beckon-theme'); beckonTheme.apply()")
    page.set_viewport_size(was)
