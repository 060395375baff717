Profile: ScreenedPatient
Parent: Patient
Id: screened-patient
Title: "A pseudonym"
Description: "Holds the screening number and nothing else: no name, no birth date, no sex, no hospital number."
* insert Ours
* identifier 1..1
* identifier.type 1..1
* identifier.type = $identifier-type#ANON
* identifier.system 1..1
* identifier.system = $screening-number
* identifier.value 1..1
* identifier.value obeys screening-number
* identifier.period 0..0
* identifier.assigner 0..0
* text 0..0
* contained 0..0
* extension 0..0
* active 0..0
* name 0..0
* telecom 0..0
* gender 0..0
* birthDate 0..0
* deceased[x] 0..0
* address 0..0
* maritalStatus 0..0
* multipleBirth[x] 0..0
* photo 0..0
* contact 0..0
* communication 0..0
* generalPractitioner 0..0
* managingOrganization 0..0
* link 0..0

Invariant: screening-number
Description: "Letters, digits, '.' and '-', at most 64"
Severity: #error
Expression: "matches('^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$')"

Profile: ScreenedSubject
Parent: ResearchSubject
Id: screened-subject
Title: "A candidate"
Description: "The pseudonym's place in the trial. The machine creates it, people change it: status, period, consent and arms that somebody else set stay."
* insert Ours
* identifier ^slicing.discriminator.type = #value
* identifier ^slicing.discriminator.path = "system"
* identifier ^slicing.rules = #open
* identifier contains screening 1..1
* identifier[screening].system 1..1
* identifier[screening].system = $screening-number
* identifier[screening].value 1..1
* identifier[screening].value obeys screening-number
* extension contains ScreeningAssessment named assessment 0..1
* obeys one-assessment
* status ^comment = "potential-candidate, candidate, ineligible by the machine; screening, eligible, pending-on-study, on-study, not-registered, ineligible, off-study, withdrawn by people"
* period ^short = "From when the machine found it; absent once the screening ended"
* study.identifier 1..1
* study.identifier.system 1..1
* study.identifier.system = $registry
* study.identifier.value 1..1
* study ^comment = "By the number of the registry; with a reference where the EDC's ResearchStudy is configured."
* individual only Reference(ScreenedPatient)
* assignedArm ^comment = "Blinded: the adapter never writes it."
* actualArm ^comment = "Blinded: the adapter never writes it."
* consent ^comment = "Not the adapter's to give: it never writes it."

Profile: ScreenedStudy
Parent: ResearchStudy
Id: screened-study
Title: "The trial, in the EDC"
Description: "The EDC's own; the adapter only refers to it and never creates it."
* insert Ours
* identifier ^slicing.discriminator.type = #value
* identifier ^slicing.discriminator.path = "system"
* identifier ^slicing.rules = #open
* identifier contains registry 1..1
* identifier[registry].system 1..1
* identifier[registry].system = $registry
* identifier[registry].value 1..1

Invariant: one-assessment
Description: "The adapter always says which status it asserted"
Severity: #error
Expression: "extension.where(url = 'https://immunosep-adapter.invalid/fhir/StructureDefinition/screening-assessment').exists()"
