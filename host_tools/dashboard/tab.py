"""What one tab shows, kept up while it is open."""

from collections.abc import Callable
from typing import Any

from nicegui import background_tasks, ui

from host_tools.dashboard.feed import Answer, Feed, Question
from host_tools.studio.frame.language import tr


class Tab:
    """Made while the page is built: its line for faults stands there."""

    def __init__(self, feed: Feed):
        self.feed = feed
        self._client = ui.context.client
        self._fault = ui.label().classes("bk-message").props('role="status"')
        self._fault.set_visibility(False)

    async def follow(self, question: Question,
                     show: Callable[[Any], None]) -> Callable[[], None]:  # fmt: skip
        """show(answer) now, and whenever there is another one, until the tab is closed or the
        function that is returned is called."""
        answer = await self.feed.newer(question, 0)
        self._show(answer, show)
        task = background_tasks.create(self._go_on(question, show, answer.version),
                                       name="dashboard tab")  # fmt: skip

        def end() -> None:
            task.cancel()

        self._client.on_delete(end)
        return end

    async def _go_on(self, question: Question, show: Callable[[Any], None], version: int) -> None:
        with self._client:
            while not self._client.is_deleted:
                answer = await self.feed.newer(question, version)
                version = answer.version
                self._show(answer, show)

    def _show(self, answer: Answer, show: Callable[[Any], None]) -> None:
        if answer.fault:
            self._fault.set_text(tr("The store does not answer: {reason}. Trying again.",
                                    reason=answer.fault.rstrip(".")))  # fmt: skip
        else:
            show(answer.value)
        self._fault.set_visibility(bool(answer.fault))
