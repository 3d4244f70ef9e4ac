"""One module for each function: observe, decide, act."""
