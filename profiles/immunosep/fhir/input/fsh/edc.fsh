RuleSet: Number(what)
* kind = #identifier
* status = #draft
* date = "2026-11-25"
* description = {what}
* uniqueId.type = #uri
* uniqueId.preferred = true

Instance: screening-number-system
InstanceOf: NamingSystem
Usage: #definition
* name = "ScreeningNumber"
* insert Number([["Random; one for each patient and trial. Which patient it is stands in the hospital alone."]])
* uniqueId.value = $screening-number

Instance: resource-number-system
InstanceOf: NamingSystem
Usage: #definition
* name = "ResourceNumber"
* insert Number([["The adapter's own name of a resource, a UUID equal on retry, replay and restore; for servers that give ids of their own."]])
* uniqueId.value = $resource-number

Instance: message-number-system
InstanceOf: NamingSystem
Usage: #definition
* name = "MessageNumber"
* insert Number([["A message of the hospital's; only the hospital can resolve it."]])
* uniqueId.value = $message-number

RuleSet: Expected(word)
* extension[+].url = $expectation
* extension[=].valueCode = #{word}

RuleSet: Act(code, word)
* interaction[+]
  * insert Expected({word})
  * code = #{code}

RuleSet: FoundBy(name, word)
* searchParam[+]
  * insert Expected({word})
  * name = "{name}"
  * type = #token

RuleSet: Held(type, profile)
* insert Expected(SHALL)
* type = #{type}
* supportedProfile[+] = Canonical({profile})
* insert Act(read, SHOULD)
* insert Act(update, SHALL)
* updateCreate = true

Instance: edc
InstanceOf: CapabilityStatement
Usage: #definition
* url = "https://immunosep-adapter.invalid/fhir/CapabilityStatement/edc"
* version = "0.1.0"
* name = "Edc"
* title = "What the EDC must offer"
* status = #draft
* date = "2026-11-25"
* description = "A FHIR R4 server that takes transactions by ids of the client, and keeps versions of the ResearchSubject. Without transactions it is sent batches or single resources. A server that gives ids of its own offers conditional create or conditional update instead of updateCreate, and says so in its own statement."
* kind = #requirements
* fhirVersion = #4.0.1
* format = #application/fhir+json
* rest
  * mode = #server
  * documentation = "The adapter reads /metadata once, before the first delivery; a resource type of which it says nothing is taken to accept ids of the client."
  * security.description = "https, and an Authorization header that is configured in the adapter."
  * interaction
    * insert Expected(SHOULD)
    * code = #transaction
  * resource[+]
    * insert Expected(SHALL)
    * type = #ResearchSubject
    * supportedProfile = Canonical(ScreenedSubject)
    * insert Act(read, SHALL)
    * insert Act(create, SHALL)
    * insert Act(update, SHALL)
    * versioning = #versioned-update
    * conditionalCreate = true
    * insert FoundBy(identifier, SHALL)
  * resource[+]
    * insert Held(Patient, ScreenedPatient)
    * insert FoundBy(identifier, SHOULD)
  * resource[+]
    * insert Held(Device, ScreeningDevice)
    * insert FoundBy(identifier, SHOULD)
  * resource[+]
    * insert Held(Observation, MeasuredValue)
    * supportedProfile[+] = Canonical(Ferritin)
    * supportedProfile[+] = Canonical(Mhladr)
    * supportedProfile[+] = Canonical(WithdrawnValue)
    * supportedProfile[+] = Canonical(SofaScore)
    * supportedProfile[+] = Canonical(SofaOfDay)
    * supportedProfile[+] = Canonical(VitalStatus)
    * insert FoundBy(identifier, SHOULD)
  * resource[+]
    * insert Held(Provenance, ScreeningProvenance)
    * insert FoundBy(_tag, SHOULD)
  * resource[+]
    * insert Expected(SHOULD)
    * type = #ResearchStudy
    * supportedProfile = Canonical(ScreenedStudy)
    * insert Act(read, SHOULD)
    * insert FoundBy(identifier, SHOULD)
