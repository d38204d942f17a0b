"""Rows, fragment tables, manifests and categories as bytes: pure functions over numpy."""
