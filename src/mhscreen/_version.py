"""The version of the engine, as every entry cites it."""

__version__ = "0.1.0"
