CodeSystem: ImmunosepLab
Id: immunosep-lab
Title: "Monocyte HLA-DR"
Description: "LOINC has no term for HLA-DR on monocytes in antibodies per cell. The three results do not convert into each other."
* insert Ours
* ^caseSensitive = true
* #mhladr-abc "HLA-DR on CD14 monocytes, antibodies bound per cell" "Unit {AB}/{cell}; calibrated, by Quantibrite."
* #mhladr-pct "HLA-DR on CD14 monocytes, percentage of positive cells" "Unit %."
* #mhladr-mfi "HLA-DR on CD14 monocytes, mean fluorescence intensity" "Unit {MFI}; of one instrument only."

CodeSystem: Concept
Id: concept
Title: "Bedside concepts without a LOINC term"
Description: "What is charted at the bedside and has no fitting LOINC term, and the kinds of respiratory support."
* insert Ours
* ^caseSensitive = true
* #respiratory-support "Respiratory support"
* #rass "Richmond agitation-sedation scale"
* #norepinephrine-rate "Norepinephrine infusion rate" "By body weight: ug/kg/min."
* #epinephrine-rate "Epinephrine infusion rate" "By body weight: ug/kg/min."
* #dopamine-rate "Dopamine infusion rate" "By body weight: ug/kg/min."
* #dobutamine-rate "Dobutamine infusion rate" "By body weight: ug/kg/min."
* #vital-status "Vital status"
* #alive "Alive"
* #died "Died"
* #invasive "Invasive ventilation"
* #niv "Non-invasive ventilation"
* #cpap "Continuous positive airway pressure"
* #hfnc "High-flow nasal cannula"
* #non-rebreather "Non-rebreather mask"
* #venturi "Venturi mask"
* #mask "Face mask"
* #nasal-cannula "Nasal cannula"
* #room-air "Room air"

CodeSystem: ScreeningReason
Id: screening-reason
Title: "Why a screening ended or was withdrawn"
Description: "The reasons of the trial's page (trial.yaml) and the machine's own. Further codes come with further trials; `against-` is followed by the criteria that stand against, as in `against-i5-e3`."
* insert Ours
* ^caseSensitive = true
* ^content = #fragment
* #exclusion-criterion "An exclusion criterion is met"
* #inclusion-not-met "An inclusion criterion is not met"
* #other-infection "Another infection than the trial asks for"
* #time-limit "The time limit has passed, said by a person"
* #other-trial "In another trial"
* #patient "The patient declined"
* #relative "A relative declined"
* #physician "The treating physician declined"
* #consent-withdrawn "Consent was withdrawn"
* #lost "Lost to follow-up"
* #died "Died"
* #safety "For safety"
* #other "Another reason, kept in the hospital"
* #the-time-limit-has-passed "The time limit has passed, found by the machine"
* #record-deleted "The hospital deleted the record"
* #a-newer-visit-has-begun "A newer visit has begun"
* #the-visit-has-ended "The visit has ended"
* #no-longer-enough-evidence "What made the candidate was corrected or has aged"

CodeSystem: ScreeningVerdict
Id: screening-verdict
Title: "The machine's verdict"
Description: "Whether the patient fits the criteria as far as data can tell. What only a person can answer blocks no verdict."
* insert Ours
* ^caseSensitive = true
* #not-candidate "Not a candidate" "An inclusion criterion is not met or an exclusion criterion is met."
* #incomplete "Incomplete" "A criterion that data would settle is unknown."
* #candidate "Candidate" "Somebody should look at this patient."
* #expired "Expired" "The time limit has passed."

CodeSystem: ScreeningCertainty
Id: screening-certainty
Title: "How sure the verdict is"
Description: "Whether sepsis and stratum hold at every end of their intervals."
* insert Ours
* ^caseSensitive = true
* #certain "Certain" "They hold at both ends."
* #possible "Possible" "They hold at one end only: something is not measured."

CodeSystem: Stratum
Id: stratum
Title: "Strata of the trial"
Description: "A finding, never an arm. Another trial has strata of its own."
* insert Ours
* ^caseSensitive = true
* ^content = #fragment
* #mals "Macrophage-activation-like syndrome" "Ferritin above 4420 ng/mL."
* #immunoparalysis "Immunoparalysis" "Ferritin at most 4420 ng/mL and fewer than 5000 HLA-DR antibodies per monocyte."
* #immunoparalysis-blocked-by-covid "Immunoparalysis, not counted because of COVID-19"
* #unclassified "No stratum fits"
* #indeterminate "Not known yet"

CodeSystem: Laboratory
Id: laboratory
Title: "Whose laboratory"
Description: "Whether the trial's central laboratory measured it."
* insert Ours
* ^caseSensitive = true
* #local "The hospital's own"
* #central "The trial's central laboratory"

CodeSystem: Imputation
Id: imputation
Title: "How a missing value was replaced"
Description: "No zero is ever imputed."
* insert Ours
* ^caseSensitive = true
* #locf "Last observation carried forward" "No older than the trial's page allows."

ValueSet: Imputations
Id: imputation
Title: "How a missing value was replaced"
Description: "All codes of the imputation."
* insert Ours
* include codes from system Imputation

ValueSet: VitalStatuses
Id: vital-status
Title: "Alive or died"
Description: "What a vital status may be."
* insert Ours
* Concept#alive
* Concept#died

ValueSet: ScreeningVerdicts
Id: screening-verdict
Title: "The machine's verdict"
Description: "All codes of the verdict."
* insert Ours
* include codes from system ScreeningVerdict

ValueSet: ScreeningCertainties
Id: screening-certainty
Title: "How sure the verdict is"
Description: "All codes of the certainty."
* insert Ours
* include codes from system ScreeningCertainty

ValueSet: Strata
Id: stratum
Title: "Strata of the trial"
Description: "All strata of ImmunoSep."
* insert Ours
* include codes from system Stratum

ValueSet: ScreeningReasons
Id: screening-reason
Title: "Why a screening ended or was withdrawn"
Description: "The reasons known beforehand."
* insert Ours
* include codes from system ScreeningReason

ValueSet: Laboratories
Id: laboratory
Title: "Whose laboratory"
Description: "All codes of the laboratory."
* insert Ours
* include codes from system Laboratory

ValueSet: RespiratorySupport
Id: respiratory-support
Title: "Kinds of respiratory support"
Description: "What a value in words may be."
* insert Ours
* Concept#invasive
* Concept#niv
* Concept#cpap
* Concept#hfnc
* Concept#non-rebreather
* Concept#venturi
* Concept#mask
* Concept#nasal-cannula
* Concept#room-air

ValueSet: MeasuredConcepts
Id: measured-concept
Title: "What is measured"
Description: "Everything the adapter may tell an EDC of what was measured or charted; nothing else leaves the hospital."
* insert Ours
* $loinc#2703-7     // oxygen partial pressure, arterial
* $loinc#71835-3    // inhaled oxygen, pure fraction
* $loinc#50984-4    // Horowitz index
* $loinc#59408-5    // oxygen saturation, pulse oximetry
* $loinc#3151-8     // inhaled oxygen flow
* $loinc#26515-7    // platelets
* $loinc#1975-2     // bilirubin, mass
* $loinc#2160-0     // creatinine, mass
* $loinc#8478-0     // mean arterial pressure
* $loinc#76214-6    // … invasive
* $loinc#76536-2    // … by cuff
* $loinc#8480-6     // systolic pressure
* $loinc#8462-4     // diastolic pressure
* $loinc#9269-2     // Glasgow coma scale, total
* $loinc#9267-6     // … eye
* $loinc#9270-0     // … verbal
* $loinc#9268-4     // … motor
* $loinc#9187-6     // urine output
* $loinc#9192-6     // urine output, 24 hours
* $loinc#29463-7    // body weight
* $loinc#2276-4     // ferritin
* Concept#respiratory-support
* Concept#rass
* Concept#norepinephrine-rate
* Concept#epinephrine-rate
* Concept#dopamine-rate
* Concept#dobutamine-rate
* include codes from system ImmunosepLab
