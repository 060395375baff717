"""The patients of the worked examples serve the unit tests too."""

from tests.clinical.conftest import answered, central, criterion, immunosep, judged, six_organs

__all__ = ["answered", "central", "criterion", "immunosep", "judged", "six_organs"]
