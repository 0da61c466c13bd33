"""A group whose values are rows of a table, or of a query, in an SQL database; an idea a file.

The room knows SQLAlchemy and how its databases differ. A key is always a bound parameter, and
nothing is ever written.
"""
