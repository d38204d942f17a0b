"""Stores and what is in them: keys, backends, layouts, groups, arrays."""
