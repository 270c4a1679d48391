"""Run a pretend board on a serial port, to practise without hardware, until Ctrl-C.

The firmware runs on the real MicroPython with a simulated sensor. A synthetic hand holds it. When
beckon record or Studio asks for a gesture, the hand makes it at GO. The other commands find the
board as they find one on USB. A broker for it runs on this computer, too.

Type the name of a gesture and press Enter, and the hand makes it. These words do other things:
  wrong, still, clip, lost   a mistake in the next take: another gesture, no movement, too strong
                             for the sensor, lost samples
  turn, unit                 mount the sensor a quarter turn round; have it measure g
  pull, push                 pull the sensor's wire; put it back
  unplug, plug               unplug the board; plug it in again
  lay, take                  lay the board on a table; take it into the hand again
  button, button GESTURE     press the button; press it, make the gesture, press it again
  auto                       make gestures now and then, or stop that

examples:
  beckon board
  beckon board --ready        with the firmware on it, as after beckon deploy
"""

import signal
import sys
from contextlib import ExitStack

from host_tools.cli.program import program
from host_tools.cli.progress import waiting
from host_tools.errors import BeckonError

_FOLDER = "practice"


def add_arguments(parser):
    parser.add_argument("--ready", action="store_true",
                        help="with firmware and the default model on it; otherwise it is as new, "
                             "with MicroPython alone")
    parser.add_argument("--broker-port", type=int, metavar="N",
                        help="port of the broker that it starts (default: 1883, or any free one; "
                             "-1: start no broker)")
    parser.add_argument("--speed", type=float, default=1.0, metavar="N",
                        help="board time, times real time")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another hand")


def run(args):
    if sys.platform == "win32":
        raise BeckonError("a pretend board needs Linux or macOS: on Windows use WSL")
    from host_tools.simulator.pretend.board import PretendBoard

    with ExitStack() as stack:
        with waiting("starting a pretend board"):
            broker = _broker(args.broker_port, stack)
            # A little above real time: then a busy computer delays it and loses no sample.
            speed = 1.01 if args.speed == 1 else args.speed
            board = stack.enter_context(
                PretendBoard(ready=args.ready, speed=speed, seed=args.seed, say=_say))
        print(_advice(board.port, broker, args.ready), flush=True)
        try:
            _obey(board)
        except KeyboardInterrupt:
            print(file=sys.stderr)
    return 0


def _broker(port, stack):
    from host_tools.mqtt.broker import embedded_broker

    if port is not None and port < 0:
        return None
    if port is not None:
        return stack.enter_context(embedded_broker(port))
    try:
        return stack.enter_context(embedded_broker(1883))
    except BeckonError:  # another broker has it
        return stack.enter_context(embedded_broker())


def _advice(port, broker, ready):
    where = f"--set broker_host={broker.host} --set broker_port={broker.port}" if broker else (
        "--set broker_host=BROKER")
    lines = [f"A pretend board is on {port}" + (f", a broker at {broker}" if broker else ""), "",
             "Try, in another terminal (the commands find the board):"]
    steps = [
        ("flash", "only if you have an image: it erases the board"),
        (f"setup --folder {_FOLDER} --set wifi_ssid=any {where}", ""),
        (f"deploy --settings {_FOLDER}", "firmware, default model, settings"),
        ("doctor", "is everything as it should be?"),
        ("record --labels circle,x,y --takes 5 --out my-gestures", "the hand makes the gestures"),
        ("studio my-gestures", "the same in the browser"),
    ]
    if broker:
        steps.append((f"watch --broker mqtt://{broker.host}:{broker.port}", "its events"))
    for command, why in steps[1:] if ready else steps:
        lines.append(f"  {program()} {command}" + (f"   # {why}" if why else ""))
    lines += ["", "Here: the name of a gesture and Enter makes the hand do it; help lists more; "
              "Ctrl-C ends."]
    return "\n".join(lines)


def _obey(board):
    """Carry out what is typed, until Ctrl-C."""
    from host_tools.simulator.pretend.board import ORDERS

    for line in sys.stdin:
        text = line.strip()
        if text in ("help", "?"):
            for name, what in ORDERS.items():
                print(f"  {name:8} {what}", flush=True)
        elif text in ("quit", "exit", "q"):
            return
        elif text:
            try:
                _say(board.order(text))
            except BeckonError as error:
                print(f"beckon board: {error}", file=sys.stderr)
    if sys.platform != "win32":
        signal.pause()  # nobody types any more: a program, or a terminal that was closed


def _say(line):
    print(f"  {line}", flush=True)
