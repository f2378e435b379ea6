"""The model's matrix: numeric columns first, then categorical ones, built only from vectors that passed the door."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from scoring.features import FeatureSchema, FeatureVector, Raw

if TYPE_CHECKING:
    from catboost import Pool


@dataclass(frozen=True)
class TrainingFrame:
    """Rows to train or measure on: `numeric` (n, k), `categorical` (n, c), `target` (n,; 1: default), `months` (n,)."""

    schema: FeatureSchema
    numeric: NDArray[np.float32]
    categorical: NDArray[np.object_]
    target: NDArray[np.int8]
    months: NDArray[np.str_]

    @classmethod
    def of(
        cls, schema: FeatureSchema, rows: Iterable[Mapping[str, Raw]], target: Sequence[int], months: Sequence[str]
    ) -> Self:
        """Build every row through `FeatureVector.build`, so a leaked or unknown column is refused here too."""
        vectors = [FeatureVector.build(schema, row) for row in rows]
        numeric, categorical = arrays_of(vectors)
        return cls(schema, numeric, categorical, np.asarray(target, dtype=np.int8), np.asarray(months, dtype=np.str_))

    def __len__(self) -> int:
        return len(self.target)

    def take(self, chosen: NDArray[Any]) -> Self:
        """The rows of a boolean mask or an index array (m,)."""
        return type(self)(
            self.schema, self.numeric[chosen], self.categorical[chosen], self.target[chosen], self.months[chosen]
        )

    def pool(self) -> "Pool":
        """The frame in CatBoost's form, with its target."""
        return pool_of(self.schema, self.numeric, self.categorical, self.target)

    @property
    def period(self) -> str:
        """First and last issue month."""
        months = self.months.tolist()
        return f"{min(months)} to {max(months)}" if months else "no rows"


def arrays_of(vectors: Sequence[FeatureVector]) -> tuple[NDArray[np.float32], NDArray[np.object_]]:
    """The numeric (n, k) and categorical (n, c) parts of vectors of one schema."""
    numeric = np.array([v.numeric_row() for v in vectors], dtype=np.float32)
    categorical = np.array([v.categorical_row() for v in vectors], dtype=object)
    return numeric, categorical


def pool_of(
    schema: FeatureSchema,
    numeric: NDArray[np.float32],
    categorical: NDArray[np.object_],
    target: NDArray[np.int8] | None = None,
) -> "Pool":
    """CatBoost's form of a matrix."""
    from catboost import FeaturesData, Pool  # noqa: PLC0415  slow to load: only who scores should need it

    data = FeaturesData(
        num_feature_data=numeric if schema.numeric else None,
        cat_feature_data=categorical if schema.categorical else None,
        num_feature_names=[f.name for f in schema.numeric] or None,
        cat_feature_names=[f.name for f in schema.categorical] or None,
    )
    return Pool(data, label=target)
