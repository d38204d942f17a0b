"""The commands of ``zv-view``, a module each; only those that draw load the graphical libraries."""
