"""Record gestures into a data-set folder: guided, take by take, or freely.

Guided: hold the board still, wait for GO, make the gesture once, rest. If a take cannot
be used (samples lost, range exceeded, no movement, not at rest before and after), it is
refused at once and you make it again. Space pauses, u undoes the last take (if it was
another gesture), q or Ctrl-C ends and saves what is good.
Free: one uninterrupted recording. With one label, all of it gets that label.

The board needs Beckon's firmware (beckon deploy). --from takes the samples from
elsewhere: csv is any firmware that prints three or six numbers per sample, one line each;
broker is a board with our firmware on the broker of beckon setup, and mqtt://HOST or
mqtts://HOST on another one; a FILE is played as if it were live. phone is a phone's browser,
which opens a page of this computer; phyphox://HOST:PORT, sensorserver://HOST:PORT and
sensorlogger are apps on a phone (docs/phone.md).

examples:
  beckon record --labels circle,x,y --takes 20 --out my-gestures --subject ann
  beckon record --free --labels none --seconds 120 --out my-gestures
  beckon record /dev/ttyACM0 --from csv --labels up,down --out others
  beckon record --from phone --labels circle,x --out my-gestures
"""

import json
import sys
from pathlib import Path

from host_tools.cli.json_output import add_json_argument
from host_tools.cli.program import program
from host_tools.cli.source_options import add_source_arguments, check_rate, open_source
from host_tools.errors import BeckonError
from host_tools.wording import counted


def add_arguments(parser):
    parser.add_argument("port", nargs="?", metavar="PORT",
                        help="serial port; may be left out if there is one board")
    parser.add_argument("--labels", default="", metavar="A,B,..", help="the gestures, in order")
    parser.add_argument("--takes", type=int, default=15, metavar="N", help="good takes of each")
    parser.add_argument("--out", type=Path, default=Path("my-gestures"), metavar="FOLDER",
                        help="data-set folder, made if missing; its files stay")
    parser.add_argument("--subject", default="me", metavar="NAME", help="whose hand it is")
    parser.add_argument("--free", action="store_true", help="one recording without guidance")
    parser.add_argument("--seconds", type=float, metavar="S",
                        help="guided: length of a take (default: 2); free: stop after this time")
    parser.add_argument("--countdown", type=float, default=3.0, metavar="S",
                        help="time before each take")
    parser.add_argument("--button", action="store_true",
                        help="a press of the board's button (the setting take_button_pin), or of "
                             "Space, starts and ends each take instead of the countdown")
    add_source_arguments(parser)
    add_json_argument(parser)


def run(args):
    from host_tools.recording.display import display
    from host_tools.recording.guide import Guide
    from host_tools.recording.keys import Keys
    from host_tools.recording.session import Session
    from host_tools.recording.writer import check_folder

    labels = _checked(args)
    check_folder(args.out)
    with open_source(args) as source:
        if source.found:
            print(source.found, file=sys.stderr)
        if source.warning:
            print(f"beckon record: {source.warning}", file=sys.stderr)
        guide = None
        if not args.free:
            longest = args.seconds or (10.0 if args.button else 2.0)
            guide = Guide(labels, args.takes, source.rate_hz, longest, args.countdown, args.button)
        session = Session(source, guide, labels[0] if args.free and labels else "")
        try:
            with Keys() as keys, display(session, keys.there) as shown:
                while session.step() and _obey(guide, keys.pressed()):
                    shown.update()
                    if args.free and args.seconds and session.seconds >= args.seconds:
                        break
                shown.update()
        except KeyboardInterrupt:
            print(file=sys.stderr)
        paths = session.save(args.out, args.subject, _ask if sys.stdin.isatty() else None)
    _report(args, session, paths)
    if session.fault:
        raise BeckonError(f"{session.fault} ({counted(len(paths), 'recording')} saved)")
    if not paths:
        raise BeckonError("no good take, so nothing was saved")
    return 0


def _obey(guide, pressed):
    """Do what the keys ask; False if one of them ends the recording."""
    for key in pressed:
        if key in "qQ":
            return False
        if not guide:
            continue
        if key == " " and guide.by_button:
            guide.press()
        elif key == " ":
            guide.resume() if guide.phase is guide.phase.PAUSED else guide.pause()
        elif key in "uU\x7f\b":
            guide.take_back()
    return True


def _checked(args):
    """The labels. Raises BeckonError for arguments that cannot be."""
    from host_tools.recording.writer import check_name

    labels = [check_name("label", label.strip()) for label in args.labels.split(",") if args.labels]
    check_name("subject", args.subject)
    if len(set(labels)) != len(labels):
        raise BeckonError(f"--labels {args.labels}: a label occurs twice", status=2)
    if args.button and args.free:
        raise BeckonError("--button is for guided takes: leave out --free", status=2)
    if not labels and not args.free:
        raise BeckonError("name the gestures with --labels, or record with --free", status=2)
    if args.free and len(labels) > 1:
        raise BeckonError("--free takes one label for the whole recording, or none", status=2)
    for name, value, least, most in (
        ("--takes", args.takes, 1, 1000),
        ("--countdown", args.countdown, 1, 60),
        ("--seconds", args.seconds or 2, 0.5, 10 if not args.free else 86400),
    ):
        if not least <= value <= most:
            raise BeckonError(f"{name} {value:g}: name a number from {least:g} to {most:g}", 2)
    check_rate(args)
    return labels


def _ask(reason):
    print(f"beckon record: {reason}", file=sys.stderr)
    try:
        return input("Enter tries again, q gives up: ").strip().lower() != "q"
    except EOFError:
        return False


def _report(args, session, paths):
    if session.correction:
        print(f"beckon record: {session.correction}", file=sys.stderr)
    takes = len(session.guide.good) if session.guide else 0
    refused = session.guide.refusals if session.guide else 0
    rate = session.source.measured_hz
    if args.json:
        print(json.dumps({
            "recordings": [str(path) for path in paths], "takes": takes, "refused": refused,
            "samples": session.samples, "lost": session.lost,
            "clipped": session.clipped, "seconds": round(session.seconds, 3),
            "measured_hz": rate and round(rate, 4), "fault": session.fault,
        }))  # fmt: skip
        return
    what = f"{counted(takes, 'take')} ({refused} refused), " if session.guide else ""
    print(f"{what}{session.seconds:.1f} s at {rate or session.source.rate_hz:.2f} Hz, "
          f"{counted(session.lost, 'sample')} lost -> "
          f"{counted(len(paths), 'recording')} in {args.out}")
    if session.clipped and not session.guide:
        print(f"{counted(session.clipped, 'sample')} at the end of the sensor's range: record with "
              "a larger --accel-g or --gyro-dps", file=sys.stderr)
    if paths:
        print(f"next: {_next_step(args)}", file=sys.stderr)


def _next_step(args):
    if args.free:
        return f"{program()} train {args.out} --out my.mlp"
    return (f"everyday movement, without gestures: {program()} record --free --labels none "
            f"--seconds 180 --out {args.out}")
