"""The model zoo: metafiles, the index of them, the tables made of them, and their check."""
