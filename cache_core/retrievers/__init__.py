"""The sources that a config file can name: one retriever a file."""
