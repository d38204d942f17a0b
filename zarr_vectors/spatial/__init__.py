"""Where positions lie on the chunk and bin grids; pure numpy."""
