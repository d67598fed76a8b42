"""Studies: a declared grid of pre-trainings and fine-tunings, run in slices and told in tables."""
