"""Stand-in for `_asyncio`, the C half of MicroPython's asyncio.

The built-in one reads the computer's clock behind `time`'s back; this one
asks asyncio's own `ticks`. asyncio itself is the interpreter's.
"""


class TaskQueue:
    """Tasks in the order in which they are due; equals keep their order."""

    def __init__(self):
        self._tasks = []

    def peek(self):
        return self._tasks[0] if self._tasks else None

    def push(self, task, ticks=None):
        core = _core()
        task.data = None
        task.ph_key = core.ticks() if ticks is None else ticks
        tasks = self._tasks
        at = len(tasks)
        while at and core.ticks_diff(tasks[at - 1].ph_key, task.ph_key) > 0:
            at -= 1
        tasks.insert(at, task)

    def pop(self):
        return self._tasks.pop(0)

    def remove(self, task):
        self._tasks.remove(task)


class Task:
    """state: True while it runs, a TaskQueue of those who wait for it, a callable;
    None when it is over, False once somebody has asked for its result."""

    def __init__(self, coro, globals=None):
        self.coro = coro
        self.data = None  # what it waits in, or the exception to throw into it
        self.state = True
        self.ph_key = 0

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        core = _core()
        self.state.push(core.cur_task)
        core.cur_task.data = self

    def done(self):
        return not self.state

    def cancel(self):
        if not self.state:
            return False
        core = _core()
        if self is core.cur_task:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            core._task_queue.push(task)
        elif core.ticks_diff(task.ph_key, core.ticks()) > 0:
            core._task_queue.remove(task)
            core._task_queue.push(task)
        task.data = core.CancelledError
        return True


def _core():
    from asyncio import core

    return core
