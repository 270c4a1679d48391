"""The steps of the command `learn`, see learner.py. Loaded with each one, as it takes memory."""


def step(learner, arguments, signature):
    """Carry one out; the command's result. Raises ValueError with the reason of a refusal."""
    name = arguments.get("step")
    hmac = arguments.get("hmac")
    path = learner.path
    if name == "start":
        label, takes = arguments.get("label"), arguments.get("takes", learner.TAKES)
        learner.check(label, takes)
        signature.check("learn", "start %s %d" % (label, takes), hmac)
        learner.start(label, takes, "command")
        return {"takes": takes}
    if name == "stop":
        signature.check("learn", "stop", hmac)
        if not learner.task:
            raise ValueError("nothing is being learned")
        learner.task.cancel()
        return None
    if name == "undo":
        from learning.afterwards import undo

        learner.check_idle()
        model = learner.board.sensing.engine.model_id
        result = undo(path, model, lambda: signature.check("learn", "undo", hmac))
        result["after"] = learner.restart
        return result
    if name == "status":
        return {"learning": learner.board.learned}
    if name == "read":
        from learning.afterwards import read

        return read(path, arguments, lambda text: signature.check("learn", text, hmac))
    raise ValueError("step must be start, stop, undo, status or read")
