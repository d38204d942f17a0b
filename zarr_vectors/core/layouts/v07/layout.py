"""Format 0.7 as one object: cells, dense arrays, objects, groups."""

from __future__ import annotations

from zarr_vectors.constants import VERSION_07
from zarr_vectors.core.layouts.v07.dense import Dense07
from zarr_vectors.core.layouts.v07.linking import Links07
from zarr_vectors.core.layouts.v07.naming import Names07
from zarr_vectors.core.layouts.v07.objects import Objects07
from zarr_vectors.core.layouts.v07.packing import Packing07
from zarr_vectors.core.layouts.v07.parametric import Parametric07
from zarr_vectors.core.layouts.v07.touching import TouchingLinks07


class V07Layout(
    Names07,
    Packing07,
    Links07,
    TouchingLinks07,
    Dense07,
    Objects07,
    Parametric07,
):
    """A store in format 0.7.0 over a backend."""

    version = VERSION_07
    splits_paths_by_bin = True
    parents_cross_fragments = True
    links_precede_grouping = True
    families_have_groups = False
