"""Every gesture kept: the database behind collect, actions and dashboard.

SQLite or PostgreSQL, through SQLAlchemy. tables.py names all tables, database.py opens them,
writer.py fills them, queries.py answers the dashboard, retention.py forgets.
"""
