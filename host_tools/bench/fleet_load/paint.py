"""The pages of the dashboard over millions of events, in a real browser: when they are painted."""

from typing import Any

from host_tools.testing.browser import DASHBOARD, FIRST_PAINT, Studio, chromium, open_tab

_PAGES = ("/", "/?period=month", "/?period=month&gesture=rare", "/?device=bench-00007", "/devices",
          "/rollouts", "/health")
_ROUNDS = 5


def measure(store: str) -> dict[str, Any]:
    """From asking for a page to its first paint and to its figures, ms: median and most.

    Each time in a new browser window. Raises BeckonError without a browser.
    """
    painted: dict[str, list[float]] = {page: [] for page in _PAGES}
    shown: dict[str, list[float]] = {page: [] for page in _PAGES}
    with chromium() as browser, Studio(store, command=DASHBOARD) as dashboard:
        for _ in range(_ROUNDS):
            for page in _PAGES:
                with open_tab(browser, dashboard) as tab:
                    tab.page.goto(dashboard.origin + page)
                    first_ms, begun_ms = tab.page.evaluate(FIRST_PAINT)
                    tab.page.wait_for_selector(".bk-main .bk-card, .bk-empty")
                    painted[page].append(first_ms - begun_ms)
                    shown[page].append(tab.page.evaluate("performance.now()"))
    return {"pages": {page: {"first_paint_ms": _spread(painted[page]),
                             "shown_ms": _spread(shown[page])} for page in _PAGES},
            "ms_median": _spread([ms for one in painted.values() for ms in one])["median"],
            "ms_max": max(ms for one in painted.values() for ms in one)}  # fmt: skip


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"median": round(ordered[len(ordered) // 2]), "most": round(ordered[-1])}
