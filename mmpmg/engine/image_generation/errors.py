"""What stops a generation."""


class GenerationError(RuntimeError):
    """Images cannot be generated, or a folder does not hold what it should; says what to do."""


class InterruptedGeneration(GenerationError):
    """The user or the scheduler stopped the run; the same command goes on."""
