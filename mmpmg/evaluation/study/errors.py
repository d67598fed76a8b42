"""What stops a study."""


class StudyError(RuntimeError):
    """A declaration, a folder or a request is wrong; says what to do."""


class InterruptedStudy(StudyError):
    """The user stopped the run; the same command goes on."""
