"""From the repetitions of a gesture to the model that knows it, in the place of the old one."""

from learning.settle import settle
from ops.lazy import forget
from ops.rollback import Rollback
from ops.uptime import uptime_ms


async def make(board, path, label, found, needs):
    """Put the new model in the place of `path`, on trial.

    found: [Examples, good, known, about], see Recording.result(); it is emptied, as the examples
    take memory. needs: see Rollback. Raises ValueError, OSError, MemoryError.
    """
    examples, good, known, about = found
    found.clear()
    engine = board.sensing.engine
    last = _last_layer(path)
    forget("learning.model_file")
    await settle()
    from learning.computing import golden_score, learned_row, loads
    from learning.examples import OWN

    weights, bias = await learned_row(engine, last, examples, good, known, label)
    own = [examples.own(k, i) for k in range(good) for i in range(0, OWN, 2)]
    examples.clear()
    examples = known = None
    forget("learning.examples", "learning.row")
    await settle()
    golden = await golden_score(engine, last, weights, bias)
    index = engine.labels.index(label) if label in engine.labels else -1
    from learning.model_file import ModelFile
    from learning.model_writer import write

    out = path + ".learn"
    _note(board, label, about)
    about["model"] = write(ModelFile(path), out, label, index, weights, bias, golden, own)
    own = None
    loads(out)
    from learning.record import commit, id_of

    if id_of(path) != about["before"] or Rollback(path).is_on():
        raise ValueError("the board got another model meanwhile")
    commit(path, about, needs())


class _LastLayer:
    """Without the code of a ModelFile, which takes memory, what computing asks one for."""


def _last_layer(path):
    from learning.model_file import ModelFile

    model, last = ModelFile(path), _LastLayer()
    biases, weights = model.biases(), model.weights()
    last.biases, last.weights = lambda: biases, lambda: weights
    last.pitch, last.layers, last.seed = model.pitch, model.layers, model.seed
    last.logit_mul, last.logit_shift = model.logit_mul, model.logit_shift
    last.shift = model.shift
    return last


def _note(board, label, about):
    engine, imu = board.sensing.engine, board.sensing.imu
    about["before"] = engine.model_id
    about["label"] = label
    about["rate_hz"] = engine.rate_hz
    about["accel_g"] = engine.accel_g
    about["gyro_dps"] = engine.gyro_dps
    about["period_us"] = imu.period_us
    about["accel_lsb_per_g"] = imu.accel_lsb_per_g
    about["gyro_lsb_per_10_dps"] = imu.gyro_lsb_per_10_dps
    about["unix_ms"] = board.wall.unix_ms(uptime_ms()) if board.wall else 0
