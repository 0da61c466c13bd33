"""Options that several subcommands share, and what they, variables and the config file come to.

The room knows what a user may write on a command line. It starts nothing.
"""
