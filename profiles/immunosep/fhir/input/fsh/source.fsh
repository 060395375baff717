Profile: ScreeningDevice
Parent: Device
Id: screening-device
Title: "The software that judged"
Description: "One for each release and rulebook."
* insert Ours
* insert OneResourceNumber
* status 1..1
* status = #active
* deviceName 1..1
* deviceName.name = "immunosep-adapter"
* deviceName.type = #user-friendly-name
* version 2..2
* version ^slicing.discriminator.type = #value
* version ^slicing.discriminator.path = "type.text"
* version ^slicing.rules = #closed
* version contains software 1..1 and rulebook 1..1
* version[software].type 1..1
* version[software].type.text 1..1
* version[software].type.text = "software"
* version[rulebook] ^short = "Digest of the trial page and mappings"
* version[rulebook].type 1..1
* version[rulebook].type.text 1..1
* version[rulebook].type.text = "rulebook"

ValueSet: DecisionActivity
Id: decision-activity
Title: "What the decision did"
Description: "Created at the first telling, updated afterwards, nullified at a withdrawal."
* insert Ours
* $operation#CREATE "create"
* $operation#UPDATE "revise"
* $operation#NULLIFY "nullify"

Profile: ScreeningProvenance
Parent: Provenance
Id: screening-provenance
Title: "Where a decision came from"
Description: "Names everything the decision wrote, the software, and the hospital's messages by numbers that only the hospital can resolve."
* insert Ours
* meta 1..1
* meta.tag ^slicing.discriminator.type = #value
* meta.tag ^slicing.discriminator.path = "system"
* meta.tag ^slicing.rules = #open
* meta.tag contains number 1..1
* meta.tag[number] ^short = "Stands in for an identifier, which R4 Provenance has not"
* meta.tag[number].system 1..1
* meta.tag[number].system = $resource-number
* meta.tag[number].code 1..1
* target only Reference(ScreenedSubject or ScreenedPatient or MeasuredValue or WithdrawnValue or SofaScore or SofaOfDay or VitalStatus)
* activity 1..1
* activity from DecisionActivity (required)
* reason 0..1
* agent 1..1
* agent.type 1..1
* agent.type = $agent-type#assembler
* agent.who only Reference(ScreeningDevice)
* agent.onBehalfOf 0..0
* location 0..0
* entity.role = #source
* entity.what.reference 0..0
* entity.what.display 0..0
* entity.what.identifier 1..1
* entity.what.identifier.system 1..1
* entity.what.identifier.system = $message-number
* entity.what.identifier.value 1..1
