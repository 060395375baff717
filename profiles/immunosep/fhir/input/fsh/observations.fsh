Profile: MeasuredValue
Parent: Observation
Id: measured-value
Title: "A value the score or the stratum rests on"
Description: "One result in its canonical unit. A corrected result keeps its id and says so by its status."
* insert Ours
* insert OneResourceNumber
* obeys value-or-reason and unit-of-code
* extension contains LaboratoryKind named laboratory 0..1
* status from MeasuredStatus (required)
* code from MeasuredConcepts (required)
* code.coding 1..1
* code.text 1..1
* subject 1..1
* subject only Reference(ScreenedPatient)
* effective[x] 1..1
* effective[x] only dateTime
* effectiveDateTime obeys time-with-zone
* value[x] only Quantity or CodeableConcept
* valueQuantity.value 1..1
* valueQuantity.system 1..1
* valueQuantity.system = $ucum
* valueQuantity.code 1..1
* valueCodeableConcept from RespiratorySupport (required)
* performer 0..0
* note 0..0
* component 0..0

ValueSet: MeasuredStatus
Id: measured-status
Title: "Final or corrected"
Description: "Preliminary results are not told; one that was told and is withdrawn is a WithdrawnValue."
* insert Ours
* http://hl7.org/fhir/observation-status#final
* http://hl7.org/fhir/observation-status#corrected

Invariant: value-or-reason
Description: "A value, or why there is none"
Severity: #error
Expression: "value.exists() or dataAbsentReason.exists()"

Invariant: time-with-zone
Description: "A time of day with its offset"
Severity: #error
Expression: "toString().matches('^.+T.+(Z|[+-][0-9]{2}:[0-9]{2})$')"

Invariant: unit-of-code
Description: "Each concept has one unit"
Severity: #error
Expression: "value.ofType(Quantity).empty() or ((code.coding.code.first() in ('2703-7' | '50984-4' | '8478-0' | '76214-6' | '76536-2' | '8480-6' | '8462-4')) and value.ofType(Quantity).code = 'mm[Hg]') or ((code.coding.code.first() in ('9269-2' | '9267-6' | '9270-0' | '9268-4' | 'rass')) and value.ofType(Quantity).code = '{score}') or ((code.coding.code.first() in ('norepinephrine-rate' | 'epinephrine-rate' | 'dopamine-rate' | 'dobutamine-rate')) and value.ofType(Quantity).code = 'ug/kg/min') or ((code.coding.code.first() in ('1975-2' | '2160-0')) and value.ofType(Quantity).code = 'mg/dL') or ((code.coding.code.first() in ('9187-6' | '9192-6')) and value.ofType(Quantity).code = 'mL') or ((code.coding.code.first() in ('59408-5' | 'mhladr-pct')) and value.ofType(Quantity).code = '%') or (code.coding.code.first() = '71835-3' and value.ofType(Quantity).code = '1') or (code.coding.code.first() = '3151-8' and value.ofType(Quantity).code = 'L/min') or (code.coding.code.first() = '26515-7' and value.ofType(Quantity).code = '10*3/uL') or (code.coding.code.first() = '29463-7' and value.ofType(Quantity).code = 'kg') or (code.coding.code.first() = '2276-4' and value.ofType(Quantity).code = 'ng/mL') or (code.coding.code.first() = 'mhladr-abc' and value.ofType(Quantity).code = '{AB}/{cell}') or (code.coding.code.first() = 'mhladr-mfi' and value.ofType(Quantity).code = '{MFI}')"

Profile: WithdrawnValue
Parent: Observation
Id: withdrawn-value
Title: "A value that was told and was never right"
Description: "The hospital took a result back: the Observation keeps its id and loses its value. Told only where the value was."
* insert Ours
* insert OneResourceNumber
* status = #entered-in-error
* code from MeasuredConcepts (required)
* code.coding 1..1
* code.text 1..1
* subject 1..1
* subject only Reference(ScreenedPatient)
* effective[x] 1..1
* effective[x] only dateTime
* effectiveDateTime obeys time-with-zone
* value[x] 0..0
* dataAbsentReason 0..0
* performer 0..0
* note 0..0
* component 0..0

RuleSet: FromLaboratory
* category 1..1
* category ^slicing.discriminator.type = #pattern
* category ^slicing.discriminator.path = "$this"
* category ^slicing.rules = #closed
* category contains laboratory 1..1
* category[laboratory] = $category#laboratory

Profile: Ferritin
Parent: MeasuredValue
Id: ferritin
Title: "Ferritin"
Description: "Decides MALS. A bound (`>40000`) keeps its comparator."
* insert Ours
* insert FromLaboratory
* code = $loinc#2276-4
* value[x] only Quantity
* valueQuantity = 'ng/mL'

Profile: Mhladr
Parent: MeasuredValue
Id: mhladr
Title: "Monocyte HLA-DR, antibodies bound per cell"
Description: "Decides immunoparalysis. Percentages and fluorescence intensities do not convert into it; they are told as measured values of their own codes."
* insert Ours
* insert FromLaboratory
* code = ImmunosepLab#mhladr-abc
* method 1..1
* method.text = "Quantibrite"
* value[x] only Quantity
* valueQuantity = '{AB}/{cell}'

// What every SOFA has, of whatever time.
RuleSet: Sofa
* insert Ours
* insert OneResourceNumber
* obeys one-interval and total-when-certain and total-is-the-sum and missing-says-between
* extension contains ScoreInterval named interval 0..1
* status = #final
* code = $loinc#96790-1
* subject 1..1
* subject only Reference(ScreenedPatient)
* value[x] only Quantity
* valueQuantity = '{score}'
* dataAbsentReason from http://hl7.org/fhir/ValueSet/data-absent-reason (required)
* method 1..1
* method.text 1..1
* device 1..1
* device only Reference(ScreeningDevice)
* derivedFrom only Reference(MeasuredValue)
* note 1..1
* performer 0..0
* component 6..6
* component obeys organ-points and value-or-reason
* component ^comment = "An organ whose points are not certain carries the extension score-interval too. It is named here and not sliced: some validators take a slice inside a slice for one of the outer list."
* component ^slicing.discriminator.type = #pattern
* component ^slicing.discriminator.path = "code"
* component ^slicing.rules = #closed
* component contains respiration 1..1 and coagulation 1..1 and liver 1..1 and cardiovascular 1..1 and cns 1..1 and renal 1..1
* insert Organ(respiration, 96823-0)
* insert Organ(coagulation, 96824-8)
* insert Organ(liver, 96825-5)
* insert Organ(cardiovascular, 96826-3)
* insert Organ(cns, 96827-1)
* insert Organ(renal, 96828-9)

Profile: SofaScore
Parent: Observation
Id: sofa-score
Title: "SOFA at the moment of the decision"
Description: "Six organs and the total, of LOINC panel 96789-3. The total is stated only when it is certain; the interval always is. A modified SOFA is another score (LOINC 96792-7) and never sent."
* insert Sofa
* effective[x] 1..1
* effective[x] only dateTime
* effectiveDateTime obeys time-with-zone

Profile: SofaOfDay
Parent: Observation
Id: sofa-of-day
Title: "SOFA of a study day"
Description: "After randomisation: the worst of each organ on a calendar day where the hospital lies. An organ nobody measured may keep the points of an earlier day and says so (extension imputed). What comes late renews the same Observation."
* insert Sofa
* obeys one-study-day
* extension contains StudyDay named day 0..1
* effective[x] 1..1
* effective[x] only Period
* effectivePeriod.start 1..1
* effectivePeriod.end 1..1

Profile: VitalStatus
Parent: Observation
Id: vital-status
Title: "Alive or died at the end of a study day"
Description: "As far as the hospital tells; unknown is no answer and says so."
* insert Ours
* insert OneResourceNumber
* obeys value-or-reason and one-study-day
* extension contains StudyDay named day 0..1
* status = #final
* code = Concept#vital-status
* subject 1..1
* subject only Reference(ScreenedPatient)
* effective[x] 1..1
* effective[x] only dateTime
* effectiveDateTime obeys time-with-zone
* value[x] only CodeableConcept
* value[x] from VitalStatuses (required)
* device 1..1
* device only Reference(ScreeningDevice)
* performer 0..0
* note 0..0
* component 0..0

Invariant: one-study-day
Description: "The study day is always told"
Severity: #error
Expression: "extension.where(url = 'https://immunosep-adapter.invalid/fhir/StructureDefinition/study-day').value.ofType(integer) >= 1"

RuleSet: Organ(name, code)
* component[{name}].code = $loinc#{code}
* component[{name}].value[x] only Quantity
* component[{name}].valueQuantity = '{score}'
* component[{name}].dataAbsentReason from http://hl7.org/fhir/ValueSet/data-absent-reason (required)

Invariant: organ-points
Description: "An organ scores 0 to 4 whole points"
Severity: #error
Expression: "value.empty() or value.ofType(Quantity).value in (0 | 1 | 2 | 3 | 4)"

Invariant: total-when-certain
Description: "The total is stated only when every organ has a value and both ends of the interval agree; else it says why not"
Severity: #error
Expression: "(value.exists() = (component.all(value.exists()) and extension.where(url.endsWith('score-interval')).extension.where(url = 'low').value.ofType(integer) = extension.where(url.endsWith('score-interval')).extension.where(url = 'high').value.ofType(integer))) and (value.exists() or dataAbsentReason.exists())"

Invariant: total-is-the-sum
Description: "A stated total is the lower end of its interval and the sum of the organs"
Severity: #error
Expression: "value.empty() or (value.ofType(Quantity).value = extension.where(url.endsWith('score-interval')).extension.where(url = 'low').value.ofType(integer) and value.ofType(Quantity).value = component[0].value.ofType(Quantity).value + component[1].value.ofType(Quantity).value + component[2].value.ofType(Quantity).value + component[3].value.ofType(Quantity).value + component[4].value.ofType(Quantity).value + component[5].value.ofType(Quantity).value)"

Invariant: missing-says-between
Description: "An organ without a value says between what it lies"
Severity: #error
Expression: "component.where(value.empty()).all(extension.where(url.endsWith('score-interval')).exists())"

Invariant: one-interval
Description: "The interval is always told"
Severity: #error
Expression: "extension.where(url = 'https://immunosep-adapter.invalid/fhir/StructureDefinition/score-interval').exists()"
