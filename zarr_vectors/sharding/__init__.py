"""Packing the many chunks of a store into few objects."""
