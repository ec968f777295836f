"""Every stage of the pipeline: its settings, its options, and the function that does the work.

Each stage is a folder with a ``stage.py``, whose function bears the stage's name and takes the
settings and the options of its entry as keyword arguments. It is imported only when it is called,
since a stage needs only the packages of its own environment.
"""

from __future__ import annotations

from semantoks.commands.entries.data import DATA
from semantoks.commands.entries.model import MODEL
from semantoks.commands.entries.report import REPORT
from semantoks.commands.entries.scores import SCORES

STAGES = {stage.name: stage for stage in (*DATA, *MODEL, *SCORES, *REPORT)}
