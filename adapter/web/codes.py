"""Codes as `words.sentence` spells them, listed so that they have a translation: what is not here is shown in English."""

from adapter.web.tongue import mark

STATUSES = (
    mark("Screening"),
    mark("Eligible"),
    mark("Consent asked"),
    mark("Consented"),
    mark("On study"),
    mark("Not eligible"),
    mark("Declined"),
    mark("Withdrawn"),
)
"""Of the trials we ship (profiles/*/trial.yaml), as are the reasons."""
REASONS = (
    mark("Exclusion criterion"),
    mark("Inclusion not met"),
    mark("Other infection"),
    mark("Time limit"),
    mark("Other trial"),
    mark("Other"),
    mark("Patient"),
    mark("Relative"),
    mark("Physician"),
    mark("Consent withdrawn"),
    mark("Lost"),
    mark("Died"),
    mark("Safety"),
)
ANSWERS = (mark("met"), mark("not met"), mark("unknown"), mark("inclusion"), mark("exclusion"))
CERTAINTIES = (mark("certain"), mark("possible"))
SEEN_AS = (mark("emergency"), mark("inpatient"))
LABORATORIES = (mark("central"), mark("local"))
SEXES = (mark("Male"), mark("Female"), mark("Unknown"))
VERDICTS = (mark("Not candidate"), mark("Watching"))
"""Beside those of `words.VERDICTS`, where numbers are counted by code."""
MESSAGES = (
    mark("Received"),
    mark("Applied"),
    mark("Duplicate"),
    mark("Ignored"),
    mark("Quarantined"),
    mark("Pending"),
    mark("Control id reuse"),
)
HAPPENED = (
    mark("Raised"),
    mark("Updated"),
    mark("Verdict"),
    mark("Status"),
    mark("Escalated"),
    mark("Handed over"),
    mark("Deadline"),
    mark("Digest"),
    mark("Many"),
    mark("Test"),
)
"""Kinds of a candidate's history, and why somebody is told."""
STEPS = (mark("created"), mark("sent"), mark("delivered"), mark("opened"), mark("claimed"), mark("decided"))
"""Of an alert's life."""
REFUSED = (
    mark("This request waits no more: it was answered, or is too old. Ask again."),
    mark("Somebody else must let you in."),
    mark("this line is proposed already — it waits for approval"),
    mark("something is proposed already — look at the page again"),
    mark("this proposal was decided already — look at the page again"),
    mark("other files were changed since the daemon started — restart it first, then try again"),
    mark("the files were changed meanwhile — try again"),
)
"""What other rooms refuse in whole sentences; one that names a line or a number is English."""
GROUNDS = (
    mark("first assessment"),
    mark("ground given"),
    mark("ground regained"),
    mark("the time limit has passed"),
    mark("record deleted"),
    mark("a newer visit has begun"),
    mark("the visit has ended"),
    mark("no longer enough evidence"),
)
"""Why an alert was raised or taken back, as the history keeps it."""
ROLES = (
    mark("coordinator"),
    mark("investigator"),
    mark("monitor"),
    mark("data-manager"),
    mark("pharmacist"),
    mark("interface-admin"),
    mark("admin"),
    mark("auditor"),
)
MAPPED = (mark("code"), mark("drug"), mark("unit"))
"""What a line of a site's file may be of."""
ORGAN_STATUS = (mark("measured"), mark("derived"), mark("carried"), mark("missing"))
FLAGS = (
    mark("As of randomisation"),
    mark("Bladder irrigation"),
    mark("Censored"),
    mark("Chronic dysfunction possible"),
    mark("Concentration missing"),
    mark("Creatinine missing"),
    mark("Discordant at one time"),
    mark("Dose unknown"),
    mark("Ecmo"),
    mark("Estimate sensitive"),
    mark("Final after correction"),
    mark("Fio2 ambiguous"),
    mark("Fio2 estimated"),
    mark("Fio2 may be spo2"),
    mark("Fio2 missing"),
    mark("Fio2 unit repaired"),
    mark("Gcs before sedation"),
    mark("Gcs component missing"),
    mark("Gcs from components"),
    mark("Gcs verbal imputed"),
    mark("Haemolysed"),
    mark("Hfnc not counted as support"),
    mark("Implausible"),
    mark("Imputed locf"),
    mark("Infusion under 60 min"),
    mark("Map from sbp dbp"),
    mark("Map not sustained"),
    mark("Mechanical circulatory support"),
    mark("Near threshold"),
    mark("Newer visit"),
    mark("No visit"),
    mark("Norepinephrine salt converted"),
    mark("Norepinephrine salt unknown"),
    mark("On rrt"),
    mark("Opt out"),
    mark("Pair not same draw"),
    mark("Platelet clumps"),
    mark("Possible overlay"),
    mark("Possibly venous"),
    mark("Record deleted"),
    mark("Respiratory support unknown"),
    mark("Route unknown"),
    mark("Sedated"),
    mark("Sedation unknown"),
    mark("Several answers"),
    mark("Sf imputed"),
    mark("Specimen not confirmed arterial"),
    mark("Test patient"),
    mark("Unit discordant"),
    mark("Unit misplaced"),
    mark("Unscored vasoactive"),
    mark("Urine provisional"),
    mark("Urine sparsely charted"),
    mark("Venous gas rejected"),
    mark("Weight charted later"),
    mark("Weight missing"),
    mark("Weight old"),
    mark("Weight stated"),
)
"""Of organs and of candidates."""
