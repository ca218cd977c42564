"""The command line: parse, call one function, print; nothing else.

May import every room; nobody imports it. Heavy rooms are imported inside the commands, so that `--help` stays instant.
"""
