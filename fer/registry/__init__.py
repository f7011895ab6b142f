"""Where versions come from: the bundled folder or a repo on the Hub."""
