"""How each format version lays arrays out, behind one seam (:mod:`.base`).

Callers take their layout from :mod:`zarr_vectors.core.layouts.detect`.
"""
