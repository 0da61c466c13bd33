"""Options that several subcommands share, and the settings made of them, variables and a config.

The room knows what a user may write on a command line. It starts nothing.
"""
