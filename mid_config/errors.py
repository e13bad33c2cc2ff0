"""Mistakes in a config."""


class ConfigError(Exception):
    """A mistake in the config, in a sentence with file, line and key."""
