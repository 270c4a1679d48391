"""`beckon collect`: from the broker to the store.

intake.py judges each message, collector.py stores them in batches and acknowledges what is
committed.
"""
