"""Camera paths and what is measured along them."""
