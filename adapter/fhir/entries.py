"""Resources as entries of a transaction, and the transaction checked before it leaves."""

import json
from typing import Any

from adapter.fhir.bindings import problems
from adapter.fhir.codes import SCREENING_NUMBER
from adapter.fhir.observations import Placed

Json = dict[str, Any]


def create(subject: Placed, screening_id: str) -> Json:
    request = {
        "method": "POST",
        "url": "ResearchSubject",
        "ifNoneExist": f"identifier={SCREENING_NUMBER}|{screening_id}",
    }
    return {"fullUrl": f"urn:uuid:{subject.id}", "resource": subject.resource, "request": request}


def put(placed: Placed) -> Json:
    url = f"{placed.resource['resourceType']}/{placed.id}"
    return {
        "fullUrl": f"urn:uuid:{placed.id}",
        "resource": placed.resource,
        "request": {"method": "PUT", "url": url},
    }


def checked(plain: Json) -> Json:
    """Built by the R4B model, so that nothing unknown to FHIR is in it, then by our own table of required bindings."""
    from fhir.resources.R4B.bundle import Bundle

    bundle: Json = json.loads(Bundle.model_validate(plain).model_dump_json())
    wrong = [*problems(bundle), *(p for entry in bundle["entry"] for p in problems(entry["resource"]))]
    if wrong:
        raise ValueError(f"codes outside their required value sets: {', '.join(wrong)}")
    return bundle
