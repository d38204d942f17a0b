"""Runs inside a published release: builds the levels of a store, ``FACTORS`` as JSON."""

import json
import sys

from zarr_vectors.multiresolution.coarsen import build_pyramid

if __name__ == "__main__":
    store, factors = sys.argv[1:]
    build_pyramid(store, factors=[(float(factor), 1.0) for factor in json.loads(factors)])
