"""Run a seed again and print what happened, to a KEY or at all.

PYTHONPATH=tests/support python -m simulation.replay SEED [KEY]
"""

import sys

from simulation.run import run


def main() -> None:
    """Replay the seed that the command line names; exit 1 where a rule was broken."""
    ended = run(int(sys.argv[1]))
    about = sys.argv[2] if len(sys.argv) > 2 else ""
    lines = [str(ended.plan), *ended.history.lines(about), f"digest {ended.history.digest()}"]
    if ended.error is not None:
        lines.append(f"{type(ended.error).__name__}: {ended.error}".partition("\n")[0])
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(ended.error is not None)


if __name__ == "__main__":
    main()
