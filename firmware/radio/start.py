"""From the settings to the radios that they ask for."""

import gc

from ops.lazy import forget
from options.tables import BLUETOOTH, key_of, peers, roles
from options.together import check_parts, check_radio, gestures


def start(board, engine):
    """Make the radios, switch them on, and give them to board.

    board: Parts with publisher and health. engine: Engine, None in safe mode. What a radio
    lacks is printed and shown in `state`; the rest of the board goes on.
    """
    publisher = board.publisher
    describe = publisher.describe
    problem = _start(board, engine)
    if problem:
        print("beckon: no radio:", problem)

    def with_radio():
        state = describe()
        state["radio"] = problem or "ok"
        return state

    publisher.describe = with_radio
    forget("radio.start", "options.tables", "options.together")


def _start(board, engine):
    """Why there is no radio, or ""."""
    settings = board.settings
    made = []

    def value(name):
        return getattr(settings, name)

    try:
        labels = gestures(engine, check_parts(value)) or []
        check_radio(value)
        wanted = roles(settings.radio)
        if any(role in BLUETOOTH for role in wanted):
            made.append((_bluetooth(board, wanted, labels), True))
        if "espnow" in wanted:
            made.append((_sender(board), True))
        if "gateway" in wanted:
            made.append((_gateway(board), False))
        for radio, _ in made:
            gc.collect()
            radio.start()
    except (ValueError, OSError, MemoryError, ImportError) as fault:
        return str(fault) or "MemoryError"
    for radio, posts in made:
        board.parts.append(radio)
        board.runs.append(radio.run)
        board.health.watch("radio", radio.progress, 30_000)
        if posts:
            board.publisher.outputs.extend(radio.parts() if hasattr(radio, "parts") else [radio])
        if not settings.wifi_ssid:
            board.publisher.radios.append(radio)
    return ""


def _bluetooth(board, wanted, labels):
    from radio.stack import Stack

    settings = board.settings
    beacon = gatt = hid = bonds = None
    if "bthome" in wanted:
        from radio.beacon import Beacon

        seal = None
        if settings.radio_key:
            from radio.sealed import sealer

            seal = sealer(key_of(settings.radio_key))
        beacon = Beacon(settings.radio_buttons, labels, seal)
    if "gatt" in wanted:
        from radio.gatt import Gatt

        gatt = Gatt(
            (
                ("device", settings.device),
                ("boot", board.publisher.boot),
                ("labels", labels),
            )
        )
    if "hid" in wanted:
        from radio.bonds import Bonds
        from radio.hid import Hid

        hid = Hid(settings.radio_keys)
        bonds = Bonds()
    if board.wifi:
        # They share one antenna. The IDF aborts if Wi-Fi never sleeps while Bluetooth is on.
        from network import WLAN

        board.wifi.pm = WLAN.PM_PERFORMANCE
    return Stack(settings.device, beacon, gatt, hid, bonds)


def _sender(board):
    from radio.now_sender import Sender

    settings = board.settings
    (gateway,) = peers(settings.radio_peers)
    publisher = board.publisher
    return Sender(settings.device, gateway, key_of(settings.radio_key), lambda: publisher.event)


def _gateway(board):
    from radio.now_gateway import Gateway

    import network

    settings = board.settings
    wlan = network.WLAN(network.WLAN.IF_STA)
    known = peers(settings.radio_peers)
    return Gateway(settings.device, known, key_of(settings.radio_key), board.link, wlan, board.wall)
