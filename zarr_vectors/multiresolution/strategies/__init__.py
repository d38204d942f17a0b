"""Pure reducers, one module per geometry: arrays in, arrays out."""
