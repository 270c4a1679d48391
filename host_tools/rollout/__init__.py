"""`beckon rollout`: a new model to one, some or a share of the devices, in stages.

rules.py says when to stop, steps.py how far a device is, plan.py makes a roll-out, keys.py finds
what signs it, sender.py sends to one device, runner.py carries it out. All that is known lies in
the store (store/rollouts.py), so that a roll-out outlives whoever runs it.
"""
