"""Coarser levels of a store, and how far they are from the finest."""
