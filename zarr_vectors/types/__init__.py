"""Geometry types: each validates its input, then writes and reads by the one path below."""
