"""``python -m mmpmg.doctor``: the state of the installed stack, and what to type to mend it.

Runs where ``import mmpmg`` fails. This process imports the standard library only; every package is
imported in a child process (:mod:`.probe`), which may die of it.
"""
