"""Attributes written to a store that is there: values, dry run, write, undo."""
