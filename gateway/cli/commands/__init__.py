"""The subcommands of `gaocache`, one a file; each is imported only when it is the one that runs."""
