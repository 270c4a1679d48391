"""Studio's child processes: progress, results, faults, stopping, and no process left."""

import os
import subprocess
import sys
import time

import pytest

from host_tools.errors import BeckonError
from host_tools.studio.frame.child_process import ChildProcess
from tests.waiting import TIMEOUT_S, until


def count(report, n):
    for i in range(n):
        report(i)
    print("this goes elsewhere")
    return {"n": n, "blob": bytes(300_000)}


def refuse(report):
    raise BeckonError("one example of 'x' only; record at least two")


def crash(report):
    raise RuntimeError("an unexpected thing")


def vanish(report):
    os._exit(3)


def sleep(report, path):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    path.write_text(str(child.pid))
    report(os.getpid())
    time.sleep(60)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid):
    until(lambda: not alive(pid), f"the end of process {pid}")
    return True


def first_news(job):
    while True:
        news = job.news()
        if news or job.state != "running":
            return news
        time.sleep(0.01)


def test_progress_and_result():
    job = ChildProcess(count, 5)
    assert job.wait(TIMEOUT_S) and job.state == "done"
    assert job.news() == [0, 1, 2, 3, 4] and job.result["n"] == 5
    assert len(job.result["blob"]) == 300_000
    job.stop()  # nothing to do
    assert job.state == "done"


@pytest.mark.parametrize(
    "function, told", [(refuse, "one example of 'x' only"), (crash, "an unexpected thing"),
                       (vanish, "ended unexpectedly")]
)
def test_faults_are_told(function, told):
    job = ChildProcess(function)
    assert job.wait(TIMEOUT_S) and job.state == "failed" and told in job.fault


def test_stopping_ends_it_and_what_it_started(tmp_path):
    path = tmp_path / "pid"
    job = ChildProcess(sleep, path)
    (pid,) = first_news(job)
    job.stop()
    assert job.state == "stopped" and not job.fault
    assert gone(pid) and gone(int(path.read_text()))


def test_it_ends_with_the_server(tmp_path):
    path = tmp_path / "pid"
    code = ("import os, sys, pathlib, time; from tests.test_studio_train_job import *\n"
            f"job = ChildProcess(sleep, pathlib.Path({str(path)!r})); first_news(job); os._exit(1)")
    subprocess.run([sys.executable, "-c", code], timeout=TIMEOUT_S)
    assert gone(int(path.read_text()))
