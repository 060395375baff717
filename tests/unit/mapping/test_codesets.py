"""Mistakes in the codesets are named where they stand."""

from pathlib import Path

import pytest

from adapter.assets import load_rows, load_rulebook
from adapter.errors import ConfigError
from adapter.mapping.codesets import read_organisms

MDC = "use,target,code,reference,verified,source\n"
ORGANISMS = "organism,system,code,verified,source\n"


def broken(folder: Path, name: str, text: str) -> str:
    path = folder / "mappings" / "codesets" / name
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_rulebook(folder, trials=())
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("mdc.csv", MDC + "measurement,spo3,1,MDC_X,true,x\n", "unknown concept 'spo3' — did you mean 'spo2'?"),
        ("mdc.csv", MDC + "metric,spo2,1,MDC_X,true,x\n", "mdc.csv:2: unknown use 'metric'"),
        ("mdc.csv", MDC + "unit,kg,,MDC_X,true,x\n", "mdc.csv:2: every column must be filled in"),
        ("mdc.csv", "use,target\nunit,kg\n", "mdc.csv:2: the columns must be use, target"),
        (
            "mdc.csv",
            MDC + "measurement,spo2,150023,MDC_X,true,x\nmeasurement,map,150023,MDC_Y,true,x\n",
            "150023 stands under",
        ),
        (
            "organisms.csv",
            ORGANISMS + "e. coli,SCT,1,true,x\ns. aureus,SCT,1,true,x\n",
            "organisms.csv:3: '1' stands under two organisms",
        ),
    ],
)
def test_a_mistake_is_named_where_it_stands(name: str, text: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in broken(tmp_path, name, text)


def test_case_and_accents_of_an_organism_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "organisms.csv"
    path.write_text(ORGANISMS + "escherichia coli,WORDS,Bactérium coli,false,x\n", encoding="utf-8")
    assert read_organisms(load_rows(path)) == {
        "escherichia coli": "escherichia coli",
        "bacterium coli": "escherichia coli",
    }
