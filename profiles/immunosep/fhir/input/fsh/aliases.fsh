Alias: $loinc = http://loinc.org
Alias: $ucum = http://unitsofmeasure.org
Alias: $identifier-type = http://terminology.hl7.org/CodeSystem/v2-0203
Alias: $absent = http://terminology.hl7.org/CodeSystem/data-absent-reason
Alias: $category = http://terminology.hl7.org/CodeSystem/observation-category
Alias: $operation = http://terminology.hl7.org/CodeSystem/v3-DataOperation
Alias: $agent-type = http://terminology.hl7.org/CodeSystem/provenance-participant-type
Alias: $screening-number = https://immunosep-adapter.invalid/fhir/sid/screening-number
Alias: $resource-number = https://immunosep-adapter.invalid/fhir/sid/resource
Alias: $message-number = https://immunosep-adapter.invalid/fhir/sid/message
Alias: $registry = https://clinicaltrials.gov
Alias: $expectation = http://hl7.org/fhir/StructureDefinition/capabilitystatement-expectation

// What every definition of ours says of itself.
RuleSet: Ours
* ^experimental = false
* ^date = "2026-11-25"

// A name of the adapter's own, for servers that give ids of their own.
RuleSet: OneResourceNumber
* identifier 1..1
* identifier.system 1..1
* identifier.system = $resource-number
* identifier.value 1..1
