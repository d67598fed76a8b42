"""Device side of the data: mixing of clips."""
