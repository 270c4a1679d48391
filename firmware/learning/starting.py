"""Before the repetitions of a gesture: whether it can be learned now, and room for it."""

import os

from micropython import const

from learning.settle import settle
from ops.files import CONFIG
from ops.lazy import forget
from ops.rollback import Rollback

_LEAST = const(3)  # repetitions
_MOST = const(9)
_LABEL_BYTES = const(32)
_SPARE_BYTES = const(49152)  # of flash: the model twice, and what littlefs needs
_SAMPLES_BYTES = const(73728)


def check(board, path, label, takes):
    """Raises ValueError if a gesture of this name cannot be learned now.

    board: Parts. path: of the model.
    """
    if isinstance(takes, bool) or not isinstance(takes, int) or not _LEAST <= takes <= _MOST:
        raise ValueError("takes must be %d to %d, not %r" % (_LEAST, _MOST, takes))
    _check_label(label)
    sensing = board.sensing
    _check_known(sensing.engine, label)
    if sensing.recognition.paused or sensing.sampling.paused:
        raise ValueError("busy with another command that needs the sensor")
    problem = sensing.sampler.problem()
    if problem:
        raise ValueError("no sensor: %s" % problem)
    if board.settings.radio and label not in sensing.engine.labels:
        _check_radio(board.settings, sensing.engine, label)
    # Settings on trial restart the board when they fail, and their boots would count for both.
    for file in (CONFIG, path):
        if Rollback(file).is_on():
            raise ValueError("%s is on trial; ask again in a minute" % file)


def _check_radio(settings, engine, label):
    """The next start would find no radio that has room for one more gesture, and have none."""
    from options.together import check_parts, check_radio, gestures

    def value(name):
        return getattr(settings, name)

    try:
        check_radio(value, gestures(engine, check_parts(value)) + [label])
    finally:
        check_parts = check_radio = gestures = None
        forget("options.together", "options.tables", "options.hid_keys")
        forget("feedback.patterns", "feedback.rule_list")


def _check_label(label):
    if not isinstance(label, str) or not label or len(label.encode()) > _LABEL_BYTES:
        raise ValueError("label must be a text of 1 to %d bytes" % _LABEL_BYTES)
    for character in label:
        good = character.isalpha() or character.isdigit() or character in "_- ."
        if not good and ord(character) < 128:
            raise ValueError("label %r holds %r; use letters, digits, _ and -" % (label, character))
    if label.strip() != label or label[0] == ".":
        raise ValueError("label %r cannot be; use letters, digits, _ and -" % label)


def _check_known(engine, label):
    plain = _plain(label)
    for k in range(len(engine.labels)):
        known = engine.labels[k]
        if _plain(known) != plain:
            continue
        if k == engine.idle:
            raise ValueError("%r is the model's name for no gesture" % known)
        if k >= len(engine.shares):  # feedback/rules.py
            raise ValueError("%r is a rule's name; choose another" % known)
        if known != label:
            raise ValueError("%r is known as %r; use that name" % (label, known))


def _plain(label):
    """label without what a person may write in another way."""
    for character in " _-.":
        label = label.replace(character, "")
    return label.lower()


async def prepare(board, path, label, takes, now_ms, show):
    """(Examples, Recording): all that takes memory, before anybody makes a gesture.

    now_ms, show: see Recording. Raises ValueError, MemoryError, OSError.
    """
    free = _free_bytes()
    if free < _SPARE_BYTES:
        raise ValueError("%d bytes of flash are free, %d are needed" % (free, _SPARE_BYTES))
    sensing = board.sensing
    width, kept, shift, layers = _look_at(sensing.engine, path, label)
    forget("learning.model_file", "learning.model_writer")
    await settle()
    from learning.examples import Examples

    examples = Examples(width, kept, takes)
    from learning.model_file import ModelFile

    ModelFile(path).examples(examples.put, examples.put_metric)
    ModelFile = None
    forget("learning.model_file")
    await settle()
    from learning.recording import Recording
    from learning.samples import Samples

    store = Samples(free >= _SPARE_BYTES + _SAMPLES_BYTES)
    return examples, Recording(sensing, examples, shift, layers, takes, store, show, now_ms)


def _look_at(engine, path, label):
    """(width, kept, shift, layers) of the model. Raises ValueError if it cannot learn this."""
    from learning.model_file import ModelFile

    model = ModelFile(path)
    if not engine.decision or not model.measures:
        raise ValueError("the model does not measure movement; train it again")
    if label not in engine.labels:
        from learning.model_writer import check_room

        check_room(model, label)
    return model.width, model.kept, model.shift, model.layers


def _free_bytes():
    flash = os.statvfs(".")
    return flash[0] * flash[3]
