"""Studio's addresses besides its pages: scripts, styles, recordings, live feeds, files sent."""
from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse, Response
from fastapi.staticfiles import StaticFiles

from host_tools.dataset.recording import AXES, Recording
from host_tools.errors import BeckonError
from host_tools.studio.frame.language import said
from host_tools.studio.frame.project import Project
from host_tools.studio.frame.uploads import Uploads

STUDIO = Path(__file__).parents[1]
STATIC = STUDIO / "static"


class FreshFiles(StaticFiles):
    """Scripts and styles of all pages. The browser asks each time; as a rule it gets a 304."""

    async def get_response(self, path, scope):
        if Path(path).suffix not in (".js", ".css", ".svg"):  # Python lies beside them
            raise HTTPException(status_code=404)
        return await super().get_response(path, scope)

    def file_response(self, *args, **kwargs):
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response


def add_routes(app: FastAPI, project: Callable[[], Project | None], uploads: Uploads) -> None:
    """Add them to app. The files come last, as "/studio" would answer for all of them.

    project: the one that is open now.
    """

    def opened() -> Project:
        found = project()
        if found is None:
            raise BeckonError("no project is open: open one on the start page")
        return found

    @app.put("/studio/upload/{key}/{name:path}")
    async def upload(key: str, name: str, request: Request) -> Response:
        try:
            path = uploads.part(key, name)
            with open(path, "wb") as file:
                async for chunk in request.stream():
                    uploads.count(key, len(chunk))
                    await asyncio.to_thread(file.write, chunk)
        except BeckonError as error:
            return JSONResponse({"error": said(error)}, status_code=422)
        except OSError as error:
            return JSONResponse({"error": f"{name}: cannot be kept ({error.strerror})"},
                                status_code=507)
        return Response(status_code=204)

    @app.get("/studio/recording/{name:path}")
    async def recording(name: str) -> Response:
        try:
            found = await asyncio.to_thread(opened().recording, name)
            content = await asyncio.to_thread(packed, found)
        except BeckonError as error:
            return JSONResponse({"error": said(error)}, status_code=422)
        return Response(content, media_type="application/octet-stream",
                        headers={"cache-control": "no-store"})

    @app.websocket("/studio/feed/{name}")
    async def feed(socket: WebSocket, name: str) -> None:
        there = project()
        found = there.feeds.get(name) if there is not None else None
        await socket.accept()
        if found is None:
            await socket.close(4404)
            return
        viewer = found.attach()
        try:
            await socket.send_text(found.hello())
            send = asyncio.create_task(_send(socket, viewer))
            gone = asyncio.create_task(_gone(socket))
            await asyncio.wait({send, gone}, return_when=asyncio.FIRST_COMPLETED)
            send.cancel()
            gone.cancel()
            await asyncio.gather(send, gone, return_exceptions=True)
        finally:
            found.detach(viewer)

    app.mount("/studio", FreshFiles(directory=STUDIO))


async def _send(socket: WebSocket, viewer) -> None:
    async for message in viewer.messages():
        if isinstance(message, str):
            await socket.send_text(message)
        else:
            await socket.send_bytes(message)
    await socket.close()


async def _gone(socket: WebSocket) -> None:
    """Wait until the browser has gone; ignore what it sends."""
    try:
        while True:
            await socket.receive_bytes()
    except (WebSocketDisconnect, RuntimeError, KeyError):
        pass


def packed(recording: Recording) -> bytes:
    """The recording for signal/signal_view.js, little-endian.

    uint32: length of the JSON in bytes, a multiple of four. The JSON: {name, rate_hz, start_ms,
    samples, axes, gaps}, padded with spaces; gaps are [first, last + 1] sample ranges. Then
    float32: all samples of ax, all of ay, and so on, in m/s^2 and deg/s.
    """
    head = json.dumps({
        "name": recording.name,
        "rate_hz": recording.rate_hz,
        "start_ms": recording.start_ms,
        "samples": len(recording.samples),
        "axes": AXES[: recording.axes],
        "gaps": recording.gaps,
    }).encode()
    head += b" " * (-len(head) % 4)
    planes = np.ascontiguousarray(recording.samples.T, dtype="<f4")
    return len(head).to_bytes(4, "little") + head + planes.tobytes()
