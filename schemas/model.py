"""The base of every wire model: camelCase outside, snake_case inside, nothing unknown taken."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from schemas.gcj02 import to_wgs84

__all__ = ["Crs", "Id", "Latitude", "Longitude", "Place", "Point", "Wire"]

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""Ids are opaque; the alphabet keeps them safe in paths, keys and logs."""

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Crs = Literal["wgs84", "gcj02"]


_FROM_OUTSIDE: Final = {"outside": True}


class Wire(BaseModel):
    """Strict: no number for a string, no string for a number, no unknown field."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        strict=True,
        frozen=True,
    )

    @classmethod
    def read(cls, data: Any) -> Self:
        """Validate what came from outside: wire names only, and times as RFC 3339 only.

        Raises pydantic.ValidationError.
        """
        return cls.model_validate(data, by_alias=True, by_name=False, context=_FROM_OUTSIDE)

    def dump(self) -> dict[str, Any]:
        """As it goes on the wire: absent instead of null."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Point(Wire):
    """A point in degrees. Told in GCJ-02 (`crs`), it is held, and told again, in WGS 84."""

    lat: Latitude
    lng: Longitude
    crs: Crs = Field(default="wgs84", exclude=True)

    @model_validator(mode="after")
    def _to_wgs84(self) -> Self:
        if self.crs == "wgs84":
            return self
        lat, lng = to_wgs84(self.lat, self.lng)
        return self.model_copy(update={"lat": lat, "lng": lng, "crs": "wgs84"})


class Place(Point):
    """Where an order is picked up."""
