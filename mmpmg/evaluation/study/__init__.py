"""A declared grid of pre-trainings and fine-tunings, run, resumed and laid out as a table."""
