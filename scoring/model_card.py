"""The model card: who and when the model was trained on, how well it does there, and what it must not be used for.

Contents follow Mitchell et al. (2019), "Model cards for model reporting", and SR 11-7.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.evaluation import Performance, auc
from scoring.features import FeatureSchema
from scoring.matrix import TrainingFrame

CARD_NAME = "MODEL_CARD"
SEGMENT_ROWS_MIN = 100

_RISES = {1: "never lowers PD", -1: "never raises PD", 0: "free"}


@dataclass(frozen=True, slots=True)
class Segment:
    """Performance of one group of rows; AUC is absent when the group has one kind of outcome only."""

    feature: str
    value: str
    rows: int
    default_rate: float
    mean_probability: float
    auc: float | None

    def figures(self) -> dict[str, str]:
        return {
            "feature": self.feature,
            "value": self.value,
            "rows": str(self.rows),
            "default_rate": f"{self.default_rate:.4f}",
            "mean_probability": f"{self.mean_probability:.4f}",
            "auc": "" if self.auc is None else f"{self.auc:.4f}",
        }


@dataclass(frozen=True)
class ModelCard:
    """What is written beside a model file. `performance` is by set of rows, `notes` are further measured figures."""

    model_version: str
    model_hash: str
    schema: FeatureSchema
    population: str
    trained_on: str
    trees: int
    performance: dict[str, Performance]
    segments: tuple[Segment, ...]
    limits: tuple[str, ...]
    trained_with: dict[str, str]
    calibration: str
    notes: dict[str, str] = field(default_factory=dict)
    owner: str = "the lender that puts it to use"
    approval: str = "not approved for lending; approval is the deploying lender's to give and to write down"

    def body(self) -> dict[str, Any]:
        """The card as plain JSON values."""
        return {
            "model": {"version": self.model_version, "sha256": self.model_hash, "trees": self.trees},
            "schema": {"version": self.schema.version, "sha256": self.schema.digest},
            "population": self.population,
            "trained_on": self.trained_on,
            "calibration": self.calibration,
            "performance": {name: figures.figures() for name, figures in self.performance.items()},
            "segments": [segment.figures() for segment in self.segments],
            "notes": self.notes,
            "features": [
                {"name": f.name, "unit": f.unit, "en": f.description_en, "zh": f.description_zh, "monotone": f.monotone}
                for f in self.schema.modelled
            ],
            "limits": list(self.limits),
            "owner": self.owner,
            "approval": self.approval,
            "trained_with": self.trained_with,
        }

    def markdown(self) -> str:
        """The card for people."""
        parts = [
            f"# Model {self.model_version}\n",
            f"SHA-256 of the model file: `{self.model_hash}`. {self.trees} trees, schema `{self.schema.version}`.\n",
            f"- Population: {self.population}\n- Trained on: {self.trained_on}\n- Calibration: {self.calibration}\n"
            f"- Owner: {self.owner}\n- Approval: {self.approval}\n",
            "## Performance\n\nAUC with DeLong's 95 % interval.\n",
            _table(self._performance_rows()),
            "## By segment\n",
            _table([["feature", "value", "rows", "default rate", "mean PD", "AUC"], *self._segment_rows()]),
            "## Further figures\n",
            "".join(f"- {name}: {text}\n" for name, text in self.notes.items()) or "None.\n",
            "## Features\n",
            _table([["feature", "unit", "meaning", "含义", "higher value"], *self._feature_rows()]),
            "## Limits\n",
            "".join(f"- {limit}\n" for limit in self.limits),
            "## Trained with\n",
            "".join(f"- {name}: {value}\n" for name, value in self.trained_with.items()),
        ]
        return "\n".join(parts)

    def write(self, folder: Path) -> None:
        """Write the card as MODEL_CARD.md and MODEL_CARD.json."""
        text = json.dumps(self.body(), ensure_ascii=False, indent=2, sort_keys=True)
        (folder / f"{CARD_NAME}.json").write_text(text + "\n", encoding="utf-8")
        (folder / f"{CARD_NAME}.md").write_text(self.markdown(), encoding="utf-8")

    def _performance_rows(self) -> list[list[str]]:
        head = ["rows of", "rows", "default rate", "AUC", "KS", "Brier", "slope", "intercept", "ECE"]
        return [head] + [
            [
                name,
                str(p.rows),
                f"{p.default_rate:.4f}",
                f"{p.auc:.4f} ({p.auc_low:.4f} to {p.auc_high:.4f})",
                f"{p.ks:.4f}",
                f"{p.brier:.4f}",
                f"{p.calibration_slope:.3f}",
                f"{p.calibration_intercept:.3f}",
                f"{p.expected_calibration_error:.4f}",
            ]
            for name, p in self.performance.items()
        ]

    def _segment_rows(self) -> list[list[str]]:
        return [list(segment.figures().values()) for segment in self.segments]

    def _feature_rows(self) -> list[list[str]]:
        return [[f.name, f.unit, f.description_en, f.description_zh, _RISES[f.monotone]] for f in self.schema.modelled]


def segments_of(frame: TrainingFrame, probability: NDArray[np.float64]) -> tuple[Segment, ...]:
    """Every category of every categorical feature that has at least 100 rows."""
    found = []
    for column, feature in enumerate(frame.schema.categorical):
        values = frame.categorical[:, column]
        for value in sorted(set(values.tolist())):
            rows = np.flatnonzero(values == value)
            if rows.size >= SEGMENT_ROWS_MIN:
                found.append(_segment(feature.name, value.decode(), frame.target[rows], probability[rows]))
    return tuple(found)


def _segment(feature: str, value: str, target: NDArray[np.int8], probability: NDArray[np.float64]) -> Segment:
    mixed = 0 < int(target.sum()) < target.size
    area = auc(target, probability) if mixed else None
    return Segment(feature, value, target.size, float(target.mean()), float(probability.mean()), area)


def _table(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]) + "\n"
