"""Reasons of exclusion as fixed texts, for pages that may not quote file names or values.

A reason in the tables is a sentence for those who have the data: it quotes names of files, ids and
values. Cutting these out by patterns fails for names that nobody thought of, so nothing of the
sentence is shown. It is only searched for the words that the source code writes, and a fixed text
stands for it. A file whose name has such words leads to the wrong text, but never onto the page.
"""

from __future__ import annotations

from semantoks.people.ids import BY_HAND, NO_ROW

ANOTHER_REASON = "another reason"
# By fixed text: words of the sentences that are raised as `ScanError` or stored as a problem by
# `index`. The first text that fits is taken, so failures of a whole step come first.
KINDS: dict[str, tuple[str, ...]] = {
    BY_HAND: (BY_HAND,),  # first: behind it are words of the user
    NO_ROW: (NO_ROW,),
    "fMRIPrep did not write all outputs": ("fMRIPrep wrote ",),
    "the events of the task are missing or damaged": ("events: ",),
    "the block is not within its run, or has no length": ("the window of ",),
    "head motion": ("head motion: ",),
    "head motion cannot be estimated": ("head motion could not be estimated",),
    "too many volumes are censored": (
        "of the volumes censored",
        " censors all volumes",
        "all volumes are censored",
    ),
    "too short, or too few degrees of freedom": (
        " s of data, at least",
        " degrees of freedom left",
        "too few to filter",
    ),
    "low signal quality": ("temporal signal-to-noise ratio", "DVARS "),
    "registration failed": ("registration failed", "no brain found in the BOLD image"),
    "in native space, without a usable registration": (
        "is in the native space of the run",
        "the registration ",
    ),
    "no T1w image": ("no T1w image", "a T1w image needs three dimensions"),
    "the file is not here": ("is a link to a file that is not here", " is missing"),
    "the file is outside the data set": ("leads out of the data set",),
    "no file of a plausible kind or size": (
        "is a link; store the data",
        "keeps its data in other files",
        "is unpacked to more than",
        "is an image in ",
        "has text in the lists of",
        "is encrypted",
        "is a link or a folder",
        "was written again by other software",
        "has text that is not UTF-8",
        " grayordinates",
        " MB of text under ",
        "is not a list of text or numbers",
        " declare ",
        ", a file is needed",
        "files of its kind have at most",
        "plausible",
        "declares ",
    ),
    "no preprocessed image": ("no preprocessed BOLD image",),
    "several files of one scan": (
        "several files of one scan",
        "several images of this run",
        " is in several folders (",
    ),
    "a concatenation of other runs": ("oncatenation of ", "probably the concatenation"),
    "several echoes": (" echoes, which the built-in engine",),
    "the name of the file does not fit": (
        " is no raw image",
        "which contradicts its name",
        "more than letters and digits",
    ),
    "the repetition time is missing or not clear": (
        "RepetitionTime",
        "repetition time",
        "SamplingFrequency",
        "VolumeTiming",
        " has a TR of ",
        "a TR of ",
        ", not in seconds",
    ),
    "the sidecars are damaged or disagree": (
        "the sidecar ",
        "neither is more specific",
        "SliceTiming is ",
        "SliceEncodingDirection is ",
    ),
    "the confounds are missing or do not fit": (
        "no confounds table",
        "confounds '",
        "confounds that are needed",
        "is in steady state",
        "framewise_displacement is ",
        "its confounds table ",
        " volumes for an image of ",
        "which confounds need",
        "are not outliers; either number",
        " of 0 (kept) and 1 (outlier)",
        ", which says where, is not beside ",
    ),
    "another space than the atlas": (
        ", the atlas ",
        "the run is in another space",
        "different meshes",
        "different grids",
        "is in the participant's own space",
        "says that it is in template space",
        "is a volume; the atlas",
        "is CIFTI",
    ),
    "too little of the atlas has data": (
        "of the atlas covered",
        "of the atlas has data",
        "of the atlas lacks data",
    ),
    "volumes are missing": ("so time would have a gap", "no volume has such a name"),
    "volumes without data": (
        "changes over time",
        " have no data in any region",
        "NaN or infinite values",
        "NaN throughout",
        "are 0 in every region",
        "all voxels are 0",
    ),
    "orientation or shape of the image": (
        "has no orientation",
        "has two orientations",
        "4-D is needed",
        "is not 3-D",
        " differ in their ",
        "a run needs four dimensions",
        "real numbers are needed",
    ),
    "the columns do not fit the atlas": (
        " are regions of the atlas",
        " regions is expected",
        " volumes are expected",
        "has two columns of one region",
        "numbers its columns",
        "have other numbers than those of",
        "counts volumes or seconds",
        "volumes and regions cannot be told apart",
        "begins with two rows",
    ),
    "the file has no time series of this scan": (
        "has no time series of this scan",
        "has no timeseries/",
        "has no scan '",
        "has no table of numbers",
        "has several tables of numbers",
        "it has no `timeseries`",
    ),
    "a file cannot be read": (
        "is not a readable",
        "cannot be read",
        "damaged",
        "truncated",
        " time series: its axes are",
        "is not an array of real numbers",
        "is an empty table",
        " twice, at its top and in ",
        "has a single column",
        "that is not a number",
    ),
    "the file lacks what is expected": (" has no ",),
}
# Of participants whom only the table has, by the start of the sentence.
WITHOUT_PARTNER = {"no scan": "no scan"}


def kind_of_exclusion(reason: str) -> str:
    """Return the fixed text for a reason of exclusion; none of its own words are shown."""
    for text, words in KINDS.items():
        if any(word in reason for word in words):
            return text
    return ANOTHER_REASON


def kind_of_unmatched(reason: str) -> str:
    """Return the fixed text of why a participant of the table is left out."""
    for start, text in WITHOUT_PARTNER.items():
        if reason.startswith(start):
            return text
    return ANOTHER_REASON
