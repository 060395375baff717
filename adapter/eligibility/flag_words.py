"""What each flag of a score means, as a clinician says it; a flag without its sentence here is a failing test."""

FLAGS = {
    "unit_discordant": "The two unit columns of the table disagree at this value: the other one gives other points.",
    "censored": "The laboratory reported a bound, not a value.",
    "implausible": "The value is possible but very unusual: was it charted in the right field?",
    "final-after-correction": "The laboratory sent a final result after a corrected one, with another value: ask which one holds.",
    "several_answers": "The laboratory reported several organisms in one result: the others are not counted.",
    "haemolysed": "The sample was haemolysed.",
    "platelet_clumps": "The laboratory saw platelet clumps: the true count may be higher.",
    "venous_gas_rejected": "A venous gas was set aside: PaO2 must be arterial.",
    "specimen_not_confirmed_arterial": "Nobody said that the gas was arterial: until a person confirms it, it decides nothing.",
    "possibly_venous": "PaO2 is so low that the sample may be venous.",
    "fio2_missing": "A blood gas has no FiO2 with it: room air is never assumed.",
    "fio2_estimated": "FiO2 was estimated from the flow and the device.",
    "estimate_sensitive": "Published tables give different FiO2 for this flow, and the points depend on it.",
    "fio2_unit_repaired": "FiO2 and its unit contradict each other: the only possible reading was taken.",
    "fio2_ambiguous": "FiO2 of 1 was read as a fraction, 100 %.",
    "fio2_may_be_spo2": "FiO2 is high and no device is charted: it may be a saturation in the wrong field.",
    "sf_imputed": "No blood gas: SpO2/FiO2 stands for it.",
    "respiratory_support_unknown": "No device is charted: with respiratory support this would be 3 or 4 points.",
    "hfnc_not_counted_as_support": "High-flow oxygen does not count as respiratory support here: if it did, there would be more points.",
    "ecmo": "On ECMO: the table does not know it.",
    "map_from_sbp_dbp": "The mean pressure was worked out from systolic and diastolic pressure.",
    "map_not_sustained": "A single lower mean pressure was not confirmed by its neighbours and was left out.",
    "mechanical_circulatory_support": "On mechanical circulatory support: the table does not know it.",
    "infusion_under_60_min": "A vasoactive infusion ran for less than an hour and does not count yet.",
    "norepinephrine_salt_unknown": "It is not known whether the dose is of norepinephrine base or of its salt.",
    "norepinephrine_salt_converted": "The dose of the salt was converted to norepinephrine base.",
    "unscored_vasoactive": "A vasoactive drug runs that has no points in this table.",
    "weight_missing": "No weight is on record: the dose per kilogram is not known.",
    "weight_charted_later": "The dose rests on a weight measured after it was given.",
    "weight_old": "The dose rests on a weight more than seven days old.",
    "weight_stated": "The dose rests on a stated or estimated weight.",
    "concentration_missing": "The pump tells mL/h, and nobody told the concentration.",
    "route_unknown": "The drug was given by a route that is not known here: only into a vein does it score.",
    "dose_unknown": "It is not known at what dose the drug ran.",
    "sedated": "Under sedation: a GCS charted then is not scored.",
    "gcs_before_sedation": "The last GCS before sedation was used.",
    "sedation_unknown": "Nobody charted whether the patient was sedated: this GCS decides nothing.",
    "imputed_locf": "Not measured that day: the score of an earlier day was kept.",
    "gcs_from_components": "The GCS is the sum of eye, verbal and motor answers.",
    "gcs_component_missing": "A part of the GCS is missing; a missing part is not a normal one.",
    "gcs_verbal_imputed": "Intubated: the best verbal answer was assumed, so the true score may be worse.",
    "creatinine_missing": "Only urine is known: creatinine could still add points.",
    "on_rrt": "On renal replacement: creatinine is kept low by it, and the table has no rule for it.",
    "urine_provisional": "Urine was observed for less than 22 hours: shown, but it decides nothing.",
    "urine_sparsely_charted": "Urine was charted seldom: a void that nobody charted is not anuria.",
    "bladder_irrigation": "Irrigation fluid was taken away from the urine; what has not come out yet makes it look low.",
}


def flag_words(flag: str) -> str:
    """The sentence; a drug that runs is named by its own flag."""
    known = FLAGS.get(flag)
    if known is not None:
        return known
    text = flag.replace("_", " ").replace("-", " ")
    return f"{text[:1].upper()}{text[1:]}."
