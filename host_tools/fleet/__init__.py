"""`beckon fleet simulate`: the MQTT traffic of many devices, from one process.

packets.py is as much of MQTT 3.1.1 as a board speaks, link.py one connection, device.py what a
board does on it, simulate.py all of them. Events are built by the firmware's own code.
"""
