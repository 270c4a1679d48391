"""main.py of a board whose gestures the host makes up: a line `LABEL CONFIDENCE` each in the file
post.in beside the stand-ins. The line `diag 0` asks for the counters."""

import asyncio
import sys

import app

_run = app.App.run


async def _post(publisher):
    path = sys.argv[1] + "/post.in"
    open(path, "a").close()
    with open(path) as file:
        while file.readline():  # for a boot before this one
            pass
        while True:
            line = file.readline()
            if line:
                label, confidence = line.split()
                if label == "diag":
                    await publisher.publish_diag()
                else:
                    publisher.post(label, int(confidence), 0, 90)
            await asyncio.sleep_ms(10)


async def _run_and_post(self):
    asyncio.create_task(_post(self.board.publisher))
    await _run(self)


app.App.run = _run_and_post
app.main()
