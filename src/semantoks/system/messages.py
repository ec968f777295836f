"""What Snakemake prints after a job that ended with a sentence."""

from __future__ import annotations

import logging
import re

# Snakemake repeats the whole command, with the settings as JSON, below the sentence of the stage.
COMMAND = re.compile(
    r"RuleException:\s*CalledProcessError in file .*"
    r"Command '.*' ((?:returned|died with) .*?)\.?\n.*",
    re.DOTALL,
)


class WithoutCommands(logging.Filter):
    """Shorten Snakemake's message about a failed job to how it ended."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the message in place; never drop it, as a killed job says nothing itself."""
        if isinstance(record.msg, str):
            message = COMMAND.sub(
                r"The job \1; its message is above and in logs/.", record.msg + "\n"
            )
            record.msg = message.removesuffix("\n")
        return True
