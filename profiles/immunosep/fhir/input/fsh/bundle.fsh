Profile: DecisionBundle
Parent: Bundle
Id: decision-bundle
Title: "One decision"
Description: "A transaction: the subject, its pseudonym, the software, what was measured and scored (unless the screening has ended; after randomisation that of study days), and where it came from."
* insert Ours
* type = #transaction
* obeys blinded
* total 0..0
* link 0..0
* signature 0..0
* entry obeys by-id-or-condition
* entry 4..
* entry.fullUrl 1..1
* entry.resource 1..1
* entry.request 1..1
* entry.search 0..0
* entry.response 0..0
* entry ^slicing.discriminator.type = #type
* entry ^slicing.discriminator.path = "resource"
* entry ^slicing.rules = #closed
* entry contains subject 1..1 and patient 1..1 and device 1..1 and observation 0..* and provenance 1..1
* entry[subject].resource only ScreenedSubject
* entry[patient].resource only ScreenedPatient
* entry[device].resource only ScreeningDevice
* entry[observation].resource only MeasuredValue or WithdrawnValue or SofaScore or SofaOfDay or VitalStatus
* entry[provenance].resource only ScreeningProvenance

Invariant: by-id-or-condition
Description: "Written by id, by a search that finds one, or created unless it is there"
Severity: #error
Expression: "request.method = 'PUT' or (request.method = 'POST' and request.ifNoneExist.exists())"

Invariant: blinded
Description: "Once randomised, neither ferritin nor mHLA-DR is told: they would tell the treatment"
Severity: #error
Expression: "entry.resource.ofType(ResearchSubject).extension.extension.where(url = 'asserted-status' and value = 'on-study').empty() or entry.resource.ofType(Observation).code.coding.where(code in ('2276-4' | 'mhladr-abc' | 'mhladr-pct' | 'mhladr-mfi')).empty()"
