"""Array types, and equality of frozen dataclasses that hold arrays."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]

T = TypeVar("T", bound=np.generic)


class ArrayEquality:
    """Gives a dataclass (declared with `eq=False`) equality by value of all its fields, arrays included."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = self.__dataclass_fields__  # type: ignore[attr-defined]
        return all(_equal(getattr(self, name), getattr(other, name)) for name in names)

    __hash__ = None  # type: ignore[assignment]


def _equal(a: Any, b: Any) -> bool:
    return np.array_equal(a, b) if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else bool(a == b)


def frozen(array: NDArray[T]) -> NDArray[T]:
    """Return the array itself, which nobody can write into from now on."""
    array.flags.writeable = False
    return array
