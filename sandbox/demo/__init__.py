"""The demo: four rollouts of a small fleet on a laptop, watched, measured and written down."""
