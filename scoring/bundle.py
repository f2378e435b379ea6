"""The model file: canonical JSON holding the trees, the schema they expect, the calibration and the scale.

One file is one model. The file carries a digest of its body, so a flipped bit is noticed even where nobody wrote
down the file's own SHA-256; equal training gives equal bytes.
"""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Self

import rfc8785

from scoring.calibration import Calibration
from scoring.model_errors import ModelCorrupt, ModelMissing
from scoring.scale import Scale

FORMAT = "loan-registry/model/1"
FILE_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True)
class ModelBundle:
    """Everything a score needs: `trees` are CatBoost's .cbm bytes, `tree_features` the matrix column of each split."""

    version: str
    schema_version: str
    schema_digest: str
    trees: bytes
    tree_features: tuple[tuple[int, ...], ...]
    calibration: Calibration
    scale: Scale
    trained_with: dict[str, str]

    def to_bytes(self) -> bytes:
        """The canonical file bytes."""
        body = self._body()
        return rfc8785.dumps({"body": body, "sha256": _digest(body)})

    @classmethod
    def from_bytes(cls, data: bytes, path: Path) -> Self:
        """Read a file's bytes; anything that is not exactly a bundle is `ModelCorrupt`."""
        body = _verified_body(data, path)
        try:
            return cls._of(body)
        except (KeyError, TypeError, ValueError, InvalidOperation, binascii.Error) as broken:
            raise ModelCorrupt(path, f"a complete {FORMAT} file", f"incomplete ({type(broken).__name__})") from broken

    @classmethod
    def read(cls, path: Path, expected_sha256: str | None = None) -> tuple[Self, str]:
        """The bundle at `path` and the SHA-256 (hex) of its file."""
        if not path.is_file():
            raise ModelMissing(path)
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
        if len(data) > FILE_BYTES_MAX:
            raise ModelCorrupt(path, f"at most {FILE_BYTES_MAX} bytes", "larger")
        found = hashlib.sha256(data).hexdigest()
        if expected_sha256 is not None and found != expected_sha256.lower().removeprefix("0x"):
            raise ModelCorrupt(path, f"SHA-256 {expected_sha256}", f"SHA-256 {found}")
        return cls.from_bytes(data, path), found

    def _body(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "version": self.version,
            "schema": {"version": self.schema_version, "sha256": self.schema_digest},
            "trees": base64.b64encode(self.trees).decode("ascii"),
            "tree_features": [list(features) for features in self.tree_features],
            "calibration": {"slope": str(self.calibration.slope), "intercept": str(self.calibration.intercept)},
            "scale": self.scale.body(),
            "trained_with": self.trained_with,
        }

    @classmethod
    def _of(cls, body: dict[str, Any]) -> Self:
        return cls(
            body["version"],
            body["schema"]["version"],
            body["schema"]["sha256"],
            base64.b64decode(body["trees"], validate=True),
            tuple(tuple(features) for features in body["tree_features"]),
            Calibration(Decimal(body["calibration"]["slope"]), Decimal(body["calibration"]["intercept"])),
            Scale.of(body["scale"]),
            dict(body["trained_with"]),
        )


def _verified_body(data: bytes, path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(data)
        body, written = whole["body"], whole["sha256"]
        computed = _digest(body)
    except (ValueError, KeyError, TypeError, RecursionError, rfc8785.CanonicalizationError) as broken:
        raise ModelCorrupt(path, f"a {FORMAT} file", "not readable as one") from broken
    if written != computed:
        raise ModelCorrupt(path, f"a body with SHA-256 {written}", f"a body with SHA-256 {computed}")
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise ModelCorrupt(path, FORMAT, "another format")
    return body


def _digest(body: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()
