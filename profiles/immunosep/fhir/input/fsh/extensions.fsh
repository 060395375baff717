Extension: ScreeningAssessment
Id: screening-assessment
Title: "What the machine found"
Description: "The verdict of one moment, beside a ResearchSubject. Before the gate opens and after the screening ended it holds the asserted status alone."
* insert Ours
* ^context.type = #element
* ^context.expression = "ResearchSubject"
* extension contains
    asserted-status 1..1 and
    verdict 0..1 and
    certainty 0..1 and
    stratum 0..1 and
    stratum-provisional 0..1 and
    rulebook 0..1 and
    onset 0..1 and
    deadline 0..1 and
    reason 0..1
* extension[asserted-status] ^short = "The status the adapter asserted last: another ResearchSubject.status was set by somebody else"
* extension[asserted-status].value[x] 1..1
* extension[asserted-status].value[x] only code
* extension[asserted-status].value[x] from http://hl7.org/fhir/ValueSet/research-subject-status|4.0.1 (required)
* extension[verdict] ^short = "Whether the criteria are met as far as data can tell"
* extension[verdict].value[x] 1..1
* extension[verdict].value[x] only code
* extension[verdict].value[x] from ScreeningVerdicts (required)
* extension[certainty] ^short = "Whether that holds at every end of the intervals"
* extension[certainty].value[x] 1..1
* extension[certainty].value[x] only code
* extension[certainty].value[x] from ScreeningCertainties (required)
* extension[stratum] ^short = "The stratum: a finding, never an arm; other trials have strata of their own"
* extension[stratum].value[x] 1..1
* extension[stratum].value[x] only code
* extension[stratum].value[x] from Strata (preferred)
* extension[stratum-provisional] ^short = "It rests on local values while the trial asks for the central laboratory"
* extension[stratum-provisional].value[x] 1..1
* extension[stratum-provisional].value[x] only boolean
* extension[rulebook] ^short = "Digest of the trial page and mappings that judged"
* extension[rulebook].value[x] 1..1
* extension[rulebook].value[x] only string
* extension[onset] ^short = "When sepsis began"
* extension[onset].value[x] 1..1
* extension[onset].value[x] only dateTime
* extension[deadline] ^short = "Until when treatment may begin"
* extension[deadline].value[x] 1..1
* extension[deadline].value[x] only dateTime
* extension[reason] ^short = "Why it ended or was withdrawn"
* extension[reason].value[x] 1..1
* extension[reason].value[x] only code
* extension[reason].value[x] from ScreeningReasons (preferred)

Extension: ScoreInterval
Id: score-interval
Title: "Between what a score lies"
Description: "Missing is not normal: an organ without a result scores 0 to 4, and the total lies between the sums."
* insert Ours
* ^context[0].type = #element
* ^context[0].expression = "Observation"
* ^context[1].type = #element
* ^context[1].expression = "Observation.component"
* obeys interval-ends
* extension contains low 1..1 and high 1..1
* extension[low].value[x] 1..1
* extension[low].value[x] only integer
* extension[high].value[x] 1..1
* extension[high].value[x] only integer

Invariant: interval-ends
Description: "The lower end is not above the upper end, and both are SOFA points"
Severity: #error
Expression: "extension.where(url = 'low').value.ofType(integer) >= 0 and extension.where(url = 'low').value.ofType(integer) <= extension.where(url = 'high').value.ofType(integer) and extension.where(url = 'high').value.ofType(integer) <= 24"

Extension: LaboratoryKind
Id: laboratory
Title: "Whose laboratory measured it"
Description: "The trial may let only its central laboratory decide the stratum."
* insert Ours
* ^context.type = #element
* ^context.expression = "Observation"
* value[x] 1..1
* value[x] only code
* value[x] from Laboratories (required)

Extension: StudyDay
Id: study-day
Title: "Of which study day"
Description: "Day 1 is the calendar day of randomisation where the hospital lies."
* insert Ours
* ^context.type = #element
* ^context.expression = "Observation"
* value[x] 1..1
* value[x] only integer

Extension: Imputed
Id: imputed
Title: "Not measured on this day"
Description: "How the points of an organ were found that nobody measured on the day."
* insert Ours
* ^context.type = #element
* ^context.expression = "Observation.component"
* value[x] 1..1
* value[x] only code
* value[x] from Imputations (required)
