"""The command line, one module for each noun; `root` puts them together."""
