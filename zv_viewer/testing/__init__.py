"""Things tests and benchmarks make views and scenes from."""
