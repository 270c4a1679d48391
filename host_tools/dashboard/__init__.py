"""`beckon dashboard`: the store in the browser, in the look of Studio.

app.py serves, login.py decides who may see it, filters.py reads the address, pages.py and charts.py
show, exports.py hands out files.
"""
