"""Beckon Studio: record, label, train and watch in the browser. Begin with app.py."""
