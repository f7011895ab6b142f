"""The registry tried out on one machine, with the Hub for tests in the place of the real one.

`hub` opens the app on the bundled versions, `cycle` does everything that the registry can do,
command by command; `faces` draws the data set that both need, and `show` says what a repo holds.
See docs/registry.md.
"""
