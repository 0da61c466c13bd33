"""The way to an SQL database: its URL, its sessions, the end of statements, and its faults.

The room knows SQLAlchemy's engines and their drivers. It knows no key and no statement.
"""
