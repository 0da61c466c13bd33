"""The way to an SQL database: its URL, its sessions, ending what runs, and what went wrong.

The room knows SQLAlchemy's engines and their drivers. It knows no key and no statement.
"""
