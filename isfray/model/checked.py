"""Values that check themselves when they are made, from a file or in Python: a wrong one is one InputError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from isfray.check import nearest
from isfray.errors import InputError


class Checked(BaseModel):
    """Named values of one thing; a field's description is what its error says was expected.

    Validators raise InputError, without a key where they look at one field.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    if not TYPE_CHECKING:  # the signature that the fields give stays

        def __init__(self, /, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise _told(type(self), error) from None

    def changed(self, **values: Any) -> Self:
        """Return the same with some other values, checked."""
        every = {name: getattr(self, name) for name in type(self).model_fields} | values
        return type(self)(**dict(zip(self.keys(), every.values(), strict=True)))

    def written(self, *names: str) -> dict[str, Any]:
        """Return some of the values as a file has them."""
        return self.model_dump(mode="json", by_alias=True, include=set(names))

    @classmethod
    def keys(cls) -> tuple[str, ...]:
        """Return what its fields are called in files."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


def _told(kind: type[Checked], error: ValidationError) -> InputError:
    """The first of pydantic's findings."""
    found = error.errors(include_url=False)[0]
    key, value = found["loc"], {} if isinstance(found["input"], dict) else {"value": found["input"]}
    fields = kind.model_fields.items()
    expected = next((field.description for name, field in fields if key and key[0] in (name, field.alias)), None)
    match found["type"]:
        case "missing":
            return InputError("is missing", key=key, expected=expected)
        case "extra_forbidden":
            return InputError("is not a known key", key=key, expected=nearest(str(key[-1]), kind.keys()))
        case "value_error":
            said: InputError = found["ctx"]["error"]
            return InputError(said.problem, key=(*key, *said.path), expected=said.expected or expected, **value)
        case kind_of_error if kind_of_error.endswith(("_type", "_parsing")):
            return InputError("is not of the right type", key=key, expected=expected or found["msg"], **value)
        case _:
            return InputError("is out of range", key=key, expected=expected or found["msg"], **value)
