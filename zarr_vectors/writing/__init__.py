"""The one write path: rows to chunks to fragments, then to arrays."""
