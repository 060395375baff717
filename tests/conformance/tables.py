"""What two other receivers fail, and why: a tool that finds less, or more, is wrong."""

PYTHON_HL7 = {
    "one byte that is no ASCII ends its reader: the connection is dead, and stays open": (
        *("R36-charset", "H04", "M34", "H22", "H23", "H23-greek", "M27", "M29", "C04", "C39", "C41", "C64", "C65"),
    ),
    "a frame over 64 KiB ends its reader": (
        *("H30", "R06", "M17-70k", "M17-1m", "M17", "M18", "M18-word", "H31", "H31-components", "H36", "C43"),
    ),
    "bytes before VT end its reader, so the frame behind them is lost": (
        *("M04", "M04-between", "R05-little", "M32-bare"),
    ),
    "noise is neither dropped nor a reason to hang up": ("R05", "M05-http", "M05-tls"),
    "a second VT is taken for data: two messages become one": ("M06", "M06-half"),
    "FS without CR does not end a frame: two messages become one, or one is waited for": (
        *("M07", "M07-silence", "R03-lf", "R03-lf-silence"),
    ),
    "what it cannot parse ends its reader, so nothing behind is answered": (
        *("M11", "M32-ack", "M32-nak", "H01", "H01-word", "R32", "R38-refused", "H39", "H35", "H35-count"),
    ),
    "a header it cannot echo ends its reader: no MSH-9, no event, no version, marks that repeat": (
        *("H02", "H09", "H14", "H08-repeating"),
    ),
    "MSH-15 is not read": (
        *("H19", "H19-ne", "H20", "H20-ne", "H20-error", "H21-er", "H21-su", "H21-er-error", "H21-su-error", "R24"),
    ),
    "acknowledgments are acknowledged": ("M33", "M33-response"),
    "MSH-7 has no zone": ("R34-time",),
    "MSH-9 has three parts whatever the version": ("R35-2.3",),
    "answers are made anew for a repetition": ("R40",),
}

HAPI = {
    "messages of one connection are handled at the same time: answers overtake each other": ("M03", "R06", "M20"),
    "bytes before VT, or FS without CR, close the connection": (
        *("M04", "M04-between", "R05-little", "M32-bare", "M07", "M07-silence", "R03-lf", "R03-lf-silence", "M08"),
    ),
    "a pause inside a frame closes the connection": ("R11",),
    "half a close is taken for a whole one": ("M21-half",),
    "a second VT is taken for data": ("M06", "M06-half"),
    "MSH-15 is not read": (
        *("H19", "H19-ne", "H20", "H20-ne", "H20-error", "H21-er", "H21-su", "H21-er-error", "H21-su-error", "R24"),
    ),
    "MSH-5 and MSH-6 lose their components": ("R33-addresses", "R33-components"),
    "MSH-9 has three parts whatever the version": ("R35-2.3",),
    "MSH-18 is not given back": ("R36-charset",),
    "bytes that its character set does not know are replaced in MSA-2": ("H04",),
    "nothing is refused for its size": ("M18-word",),
    "what it cannot parse is not answered": (
        *("H01-word", "H02", "H07-fifth", "H08-missing", "H08-short", "M27", "M29", "H29-two", "H31-components"),
        *("H35", "H35-count", "H38", "H39"),
    ),
    "a version, type or segment end it does not know is refused with AE": (
        *("H09", "H13", "H13-3.0", "H13-junk", "H14", "M10"),
    ),
    "a value that its data type does not like is refused with AE 207": (
        *("C05", "C33", "C35", "C41", "C42", "C50", "R57"),
    ),
    "answers are made anew for a repetition": ("R40",),
}

COLLECTED = frozenset({"M18"})
"""What python-hl7 passes when the garbage collector happens to close the connection of a reader that ended."""

RACES = frozenset({"M02", "M03", "R06", "M20", "R02-end", "R02-middle", "M21-half", "H30", "H31"})
"""Cases that HAPI passes or fails by chance: which of its threads comes first, and (H30, H31) how busy the machine is."""
