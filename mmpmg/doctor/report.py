"""Put the findings together, as a table to read or as JSON to send."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

from mmpmg.doctor import machine
from mmpmg.doctor.findings import (
    ABSENT,
    BROKEN,
    GOOD,
    Finding,
    installed,
    judge,
    judge_mmpmg,
    judge_python,
)
from mmpmg.doctor.probe import probe
from mmpmg.source_commit import commit
from mmpmg.stack import PARTS
from mmpmg.version import __version__


@dataclass
class Report:
    """All that the doctor found.

    Args:
        findings: Lines of the table.
        mended: What :mod:`mmpmg.compat` works around: what -> why.
        source: Commit of the source tree.
    """

    findings: list[Finding]
    mended: dict[str, str]
    source: str

    @property
    def healthy(self) -> bool:
        """Whether everything that is needed works."""
        return not [found for found in self.findings if found.needed and found.state == BROKEN]

    def as_dict(self) -> dict[str, Any]:
        """Return everything, for JSON."""
        return dict(
            mmpmg=__version__,
            commit=self.source,
            platform=platform.platform(),
            healthy=self.healthy,
            findings=[found.as_dict() for found in self.findings],
            mended=self.mended,
        )


def examine() -> Report:
    """Look at every part of the stack and at the machine; takes as long as importing all of it."""
    probes = probe([*(part.module for part in PARTS), "mmpmg"])
    findings = [judge_python()]
    findings += [judge(part, installed(part), probes[part.module]) for part in PARTS]
    findings.append(judge_mmpmg(__version__, probes["mmpmg"]))
    findings += [
        machine.recipes(),
        machine.gpus(probes["torch"].details),
        machine.cores(),
        machine.shared_memory(),
    ]
    return Report(findings, probes["mmpmg"].details.get("mended", {}), commit())


def as_text(report: Report) -> str:
    """Draw the table, what is worked around, and what to type.

    Args:
        report: What was found.
    """
    rows = [(found.name, found.version or "-", found.state, found.note)
            for found in report.findings]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"mmpmg {__version__}, commit {report.source}, on {platform.platform()}", ""]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row[:3], widths, strict=True)]
        lines.append("  ".join([*cells, row[3]]).rstrip())
    if report.mended:
        lines += ["", "Worked around (mmpmg/compat.py):"]
        lines += [f"  {what}: {why}" for what, why in report.mended.items()]
    sick = [found for found in report.findings if found.command and found.state not in (ABSENT,)]
    sick.sort(key=lambda found: not (found.needed and found.state == BROKEN))
    if sick:
        lines += ["", "To mend, what is needed first:"]
    for found in sick:
        weight = "needed" if found.needed else "optional"
        lines += [f"  {found.name} ({weight}): {found.note}", f"    type: {found.command}"]
    absent = [found for found in report.findings if found.command and found.state == ABSENT]
    if absent:
        lines += ["", "Not there, and not needed:"]
        lines += [f"  {found.name} ({found.note}): {found.command}" for found in absent]
    good = sum(found.state == GOOD for found in report.findings)
    verdict = "All that is needed works" if report.healthy else "Something needed is BROKEN"
    return "\n".join([*lines, "", f"{verdict} ({good} of {len(report.findings)} lines are ok)."])
