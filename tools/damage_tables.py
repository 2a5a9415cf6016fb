"""What damaged clips and killed runs came to, as docs/benchmarks.md says it."""

import json

FUZZ = "metrics/fuzz.json"
KILL = "metrics/kill.json"


def damage(fuzz: str, kill: str) -> str:
    """Two sentences; the texts are those of FUZZ and KILL."""
    clips, kills = json.loads(fuzz), json.loads(kill)
    ends, largest, limits = clips["outcomes"], clips["largest"], clips["limits"]
    struck = [one for one in kills["each"] if one["died"]]
    outlived = sum(one["outlived_dvc"] > 0 for one in struck)
    return "\n".join(
        [
            f"* {clips['clips']:,} damaged clips: {ends['read']} read, {ends['damaged']} read with"
            f" counted damage, {ends['unreadable']} refused by name; {ends['crash']} crashes,"
            f" {ends['hang']} hangs, {ends['untyped']} errors of another kind. The worst took"
            f" {largest['cpu_seconds']:.2f} s and {largest['memory_mb']:.0f} MB (allowed:"
            f" {limits['cpu_seconds']} s, {limits['memory_mb']:.0f} MB).",
            f"* {kills['kills']} kills at random moments, {len(struck)} of them before the run had"
            f" ended, {outlived} with processes that outlived DVC for a while: after"
            f" {kills['failed']} of them the next complete run differed from an undisturbed one,"
            " left a file behind or a process.",
        ]
    )
