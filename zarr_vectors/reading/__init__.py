"""The one read path: filters to a plan, one batch of cells, cells to arrays."""
