import json
from dataclasses import replace

from zv_viewer.qa.report import (
    AttributeDrift,
    CellMeasures,
    Distances,
    Finding,
    LevelMeasures,
    Report,
    Survival,
    Where,
)


def a_report():
    distances = Distances(1.0, 2.0, 3.0, 10, 100, (0.9, 1.1), (1.5, 3.0))
    coarse = LevelMeasures(
        1,
        100,
        2000,
        to_level=distances,
        occupancy_iou=0.9,
        hole_rate=0.1,
        density_bias=0.0,
        objects_kept=1.0,
        attributes=(AttributeDrift("a", "vertex", (0.0, 1.0), None, None, None, None, 0.5),),
        survival=(Survival("length", "1 to 2", 4, 3),),
        cells=(CellMeasures((0, -1), (0.0, -1.0), (1.0, 0.0), 5, holes=2),),
    )
    findings = (
        Finding("hole", 1, Where(chunk=(0, -1), position=(0.5, -0.5)), "m", "f"),
        Finding("non_nested_ids", 1, Where(object=7), "m", "f"),
    )
    levels = (LevelMeasures(0, 1000, None), coarse)
    return Report("file:///s", "0.9.2", "point_cloud", levels, findings, seconds=1.5)


def test_a_report_comes_back_from_its_json():
    report = a_report()
    shown = replace(report, levels=[replace(level, picture=b"PNG") for level in report.levels])
    assert json.dumps(shown.to_json()) == json.dumps(report.to_json())
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


def test_the_json_has_the_promised_names():
    data = a_report().to_json()
    promised = (
        "vertices bytes error_p50 error_p95 error_max occupancy_iou hole_rate density_bias "
        "objects_kept"
    )
    assert set(promised.split()) <= set(data["levels"][1])
    assert data["levels"][1]["error_p95"] == 2.0
    assert set(data["findings"][0]) == {"kind", "level", "where", "severity", "message", "fix"}
    assert data["findings"][0]["where"] == {"chunk": [0, -1], "position": [0.5, -0.5]}


def test_only_errors_are_alarms():
    assert [finding.kind for finding in a_report().alarms] == ["hole"]
