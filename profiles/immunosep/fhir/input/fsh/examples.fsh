// What an EDC holds after one decision; then the transaction that takes it back.

RuleSet: Numbered(uuid)
* identifier.system = $resource-number
* identifier.value = "{uuid}"

RuleSet: Measured(uuid, time)
* insert Numbered({uuid})
* status = #final
* subject = Reference(ExamplePatient)
* effectiveDateTime = "{time}"

RuleSet: Pseudonym
* identifier.type = $identifier-type#ANON
* identifier.system = $screening-number
* identifier.value = "7Q2KX9"

RuleSet: Software
* insert Numbered(b13a2512-7582-8b64-86b2-da3f362b50c3)
* status = #active
* deviceName.name = "immunosep-adapter"
* deviceName.type = #user-friendly-name
* version[software].type.text = "software"
* version[software].value = "0.1.0"
* version[rulebook].type.text = "rulebook"
* version[rulebook].value = "sha256:9f2c"

RuleSet: Enrolling
* identifier[screening].system = $screening-number
* identifier[screening].value = "7Q2KX9"
* study.identifier.system = $registry
* study.identifier.value = "NCT04990232"

Instance: ExampleStudy
InstanceOf: ScreenedStudy
Usage: #example
Title: "The trial, kept by the EDC"
* identifier[registry].system = $registry
* identifier[registry].value = "NCT04990232"
* title = "Personalized immunotherapy in sepsis (ImmunoSep)"
* status = #completed

Instance: ExamplePatient
InstanceOf: ScreenedPatient
Usage: #example
Title: "A pseudonym"
* insert Pseudonym

Instance: ExampleSubject
InstanceOf: ScreenedSubject
Usage: #example
Title: "A candidate: SOFA 5 to 9, ferritin above 4420 ng/mL"
* insert Enrolling
* status = #candidate
* period.start = "2026-03-02T14:31:00+01:00"
* study = Reference(ExampleStudy)
* individual = Reference(ExamplePatient)
* extension[assessment].extension[asserted-status].valueCode = #candidate
* extension[assessment].extension[verdict].valueCode = #candidate
* extension[assessment].extension[certainty].valueCode = #certain
* extension[assessment].extension[stratum].valueCode = #mals
* extension[assessment].extension[stratum-provisional].valueBoolean = false
* extension[assessment].extension[rulebook].valueString = "sha256:9f2c"
* extension[assessment].extension[onset].valueDateTime = "2026-03-02T07:30:00+01:00"
* extension[assessment].extension[deadline].valueDateTime = "2026-03-05T07:30:00+01:00"

Instance: ExampleDevice
InstanceOf: ScreeningDevice
Usage: #example
Title: "The software that judged"
* insert Software

Instance: ExampleFerritin
InstanceOf: Ferritin
Usage: #example
Title: "Ferritin beyond what the laboratory can measure"
* insert Measured(aa24d18c-445a-8cb1-bdfc-d44ac9f7ff5d, 2026-03-02T08:30:00+01:00)
* category[laboratory] = $category#laboratory
* code.text = "Ferritin"
* issued = "2026-03-02T09:10:00+01:00"
* valueQuantity = 40000 'ng/mL' "ng/mL"
* valueQuantity.comparator = #>
* extension[laboratory].valueCode = #central

Instance: ExampleMhladr
InstanceOf: Mhladr
Usage: #example
Title: "Monocyte HLA-DR"
* insert Measured(5f0b7a92-0c1e-8d35-a7f4-3b9f4f0a6c11, 2026-03-02T08:30:00+01:00)
* category[laboratory] = $category#laboratory
* code.text = "HLA-DR on CD14 monocytes, antibodies bound per cell"
* method.text = "Quantibrite"
* valueQuantity = 9200 '{AB}/{cell}' "{AB}/{cell}"
* extension[laboratory].valueCode = #central

Instance: ExamplePlatelets
InstanceOf: MeasuredValue
Usage: #example
Title: "Platelets, corrected"
* insert Measured(b7a5df94-5064-8494-b71b-5c9c49131fbe, 2026-03-02T07:30:00+01:00)
* status = #corrected
* code = $loinc#26515-7
* code.text = "Platelets, blood"
* valueQuantity = 40 '10*3/uL' "10*3/uL"
* extension[laboratory].valueCode = #local

Instance: ExampleWithdrawn
InstanceOf: WithdrawnValue
Usage: #example
Title: "A creatinine of somebody else's, taken back"
* insert Numbered(0d1f6a38-54c7-8a0e-9b3e-6a5f5b8f6f10)
* status = #entered-in-error
* subject = Reference(ExamplePatient)
* effectiveDateTime = "2026-03-02T07:30:00+01:00"
* code = $loinc#2160-0
* code.text = "Creatinine, serum or plasma"

Instance: ExampleRespiratorySupport
InstanceOf: MeasuredValue
Usage: #example
Title: "Respiratory support, a value in words"
* insert Measured(e61943ec-c9fe-8bb5-a2fb-16cc83564fff, 2026-03-02T07:30:00+01:00)
* code = Concept#respiratory-support
* code.text = "Respiratory support"
* valueCodeableConcept = Concept#mask

Instance: ExampleSofa
InstanceOf: SofaScore
Usage: #example
Title: "SOFA with bilirubin missing: between 5 and 9, no total"
* insert Numbered(2bf0f1ec-e597-82d3-ae0a-60e61702a54f)
* status = #final
* subject = Reference(ExamplePatient)
* effectiveDateTime = "2026-03-02T08:30:00+01:00"
* code.text = "SOFA total score"
* method.text = "Sequential Organ Failure Assessment (Vincent 1996), worst value of each organ in the last 24 hours"
* device = Reference(ExampleDevice)
* derivedFrom[+] = Reference(ExamplePlatelets)
* derivedFrom[+] = Reference(ExampleRespiratorySupport)
* note.text = "Lower bound 5, upper bound 9. Not measured: liver."
* dataAbsentReason = $absent#unknown
* extension[interval].extension[low].valueInteger = 5
* extension[interval].extension[high].valueInteger = 9
* insert Points(respiration, 2)
* insert Points(coagulation, 3)
* component[liver].code = $loinc#96825-5
* component[liver].code.text = "SOFA liver"
* component[liver].dataAbsentReason = $absent#unknown
* component[liver].extension[0].url = "https://immunosep-adapter.invalid/fhir/StructureDefinition/score-interval"
* component[liver].extension[0].extension[0].url = "low"
* component[liver].extension[0].extension[0].valueInteger = 0
* component[liver].extension[0].extension[1].url = "high"
* component[liver].extension[0].extension[1].valueInteger = 4
* insert Points(cardiovascular, 0)
* insert Points(cns, 0)
* insert Points(renal, 0)

RuleSet: Points(organ, points)
* component[{organ}].code.text = "SOFA {organ}"
* component[{organ}].valueQuantity = {points} '{score}' "{score}"

Instance: ExampleVitalStatus
InstanceOf: VitalStatus
Usage: #example
Title: "Alive at the end of study day 28"
* insert Measured(3c1d7f60-9b52-8e14-8f0a-52c6d1b0e977, 2026-03-29T23:59:59+02:00)
* code.text = "Vital status at the end of study day 28"
* valueCodeableConcept = Concept#alive
* extension[day].valueInteger = 28
* device = Reference(ExampleDevice)

Instance: ExampleSofaOfDay
InstanceOf: SofaOfDay
Usage: #example
Title: "SOFA of study day 3: 4, the Glasgow coma scale carried from the day before"
* insert Numbered(8d0f2b17-4e6a-8c93-a1d5-6f7e80c2b344)
* status = #final
* subject = Reference(ExamplePatient)
* effectivePeriod.start = "2026-03-04T00:00:00+01:00"
* effectivePeriod.end = "2026-03-04T23:59:59+01:00"
* code.text = "SOFA total score"
* method.text = "Sequential Organ Failure Assessment (Vincent 1996), worst value of each organ on the calendar day"
* device = Reference(ExampleDevice)
* note.text = "Lower bound 4, upper bound 4."
* valueQuantity = 4 '{score}' "{score}"
* extension[interval].extension[low].valueInteger = 4
* extension[interval].extension[high].valueInteger = 4
* extension[day].valueInteger = 3
* insert Points(respiration, 1)
* insert Points(coagulation, 2)
* insert Points(liver, 0)
* insert Points(cardiovascular, 0)
* insert Points(cns, 1)
* component[cns].extension.url = "https://immunosep-adapter.invalid/fhir/StructureDefinition/imputed"
* component[cns].extension.valueCode = #locf
* insert Points(renal, 0)

Instance: ExampleProvenance
InstanceOf: ScreeningProvenance
Usage: #example
Title: "Where the decision came from"
* meta.tag[number].system = $resource-number
* meta.tag[number].code = #c0dc1365-2e6e-8594-8102-c4a093842ce4
* target[+] = Reference(ExampleSubject)
* target[+] = Reference(ExamplePatient)
* target[+] = Reference(ExampleFerritin)
* target[+] = Reference(ExampleMhladr)
* target[+] = Reference(ExamplePlatelets)
* target[+] = Reference(ExampleRespiratorySupport)
* target[+] = Reference(ExampleSofa)
* recorded = "2026-03-02T14:31:00+01:00"
* activity = $operation#CREATE
* agent.type = $agent-type#assembler
* agent.who = Reference(ExampleDevice)
* entity.role = #source
* entity.what.identifier.system = $message-number
* entity.what.identifier.value = "cbc0c2e8-4107-8bfe-b5f5-10f03fc3b506"

Instance: withdrawn-subject
InstanceOf: ScreenedSubject
Usage: #inline
* insert Enrolling
* status = #ineligible
* individual.reference = "urn:uuid:17c062e0-718f-8e30-a0fc-6be74d12de5d"
* extension[assessment].extension[asserted-status].valueCode = #ineligible
* extension[assessment].extension[reason].valueCode = #exclusion-criterion

Instance: withdrawn-patient
InstanceOf: ScreenedPatient
Usage: #inline
* id = "17c062e0-718f-8e30-a0fc-6be74d12de5d"
* insert Pseudonym

Instance: withdrawing-device
InstanceOf: ScreeningDevice
Usage: #inline
* id = "b13a2512-7582-8b64-86b2-da3f362b50c3"
* insert Software

Instance: withdrawing-provenance
InstanceOf: ScreeningProvenance
Usage: #inline
* id = "e6f3c1a0-58d2-8c47-9b1e-7d2a90c4f3b8"
* meta.tag[number].system = $resource-number
* meta.tag[number].code = #e6f3c1a0-58d2-8c47-9b1e-7d2a90c4f3b8
* target[+].reference = "urn:uuid:73a74997-54d2-8ae5-9833-1f2bfeb7a579"
* target[+].reference = "urn:uuid:17c062e0-718f-8e30-a0fc-6be74d12de5d"
* recorded = "2026-03-03T10:00:00+01:00"
* activity = $operation#UPDATE
* reason = ScreeningReason#exclusion-criterion
* agent.type = $agent-type#assembler
* agent.who.reference = "urn:uuid:b13a2512-7582-8b64-86b2-da3f362b50c3"

Instance: ExampleBundle
InstanceOf: DecisionBundle
Usage: #example
Title: "A person found the candidate not eligible: the status and the reason, nothing measured"
* type = #transaction
* entry[subject].fullUrl = "urn:uuid:73a74997-54d2-8ae5-9833-1f2bfeb7a579"
* entry[subject].resource = withdrawn-subject
* entry[subject].request.method = #POST
* entry[subject].request.url = "ResearchSubject"
* entry[subject].request.ifNoneExist = "identifier=https://immunosep-adapter.invalid/fhir/sid/screening-number|7Q2KX9"
* entry[patient].fullUrl = "urn:uuid:17c062e0-718f-8e30-a0fc-6be74d12de5d"
* entry[patient].resource = withdrawn-patient
* entry[patient].request.method = #PUT
* entry[patient].request.url = "Patient/17c062e0-718f-8e30-a0fc-6be74d12de5d"
* entry[device].fullUrl = "urn:uuid:b13a2512-7582-8b64-86b2-da3f362b50c3"
* entry[device].resource = withdrawing-device
* entry[device].request.method = #PUT
* entry[device].request.url = "Device/b13a2512-7582-8b64-86b2-da3f362b50c3"
* entry[provenance].fullUrl = "urn:uuid:e6f3c1a0-58d2-8c47-9b1e-7d2a90c4f3b8"
* entry[provenance].resource = withdrawing-provenance
* entry[provenance].request.method = #PUT
* entry[provenance].request.url = "Provenance/e6f3c1a0-58d2-8c47-9b1e-7d2a90c4f3b8"
