"""What stops an extraction."""


class ExtractionError(RuntimeError):
    """Features cannot be extracted, or not into this file; says what to do."""


class InterruptedExtraction(ExtractionError):
    """The user, or the scheduler, stopped the run; the same command goes on."""
