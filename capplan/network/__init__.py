"""The network: round trips, routes, what fails with what, and which paths share no risk."""

from capplan.network.trips import (
    LIGHT_US_PER_KM,
    UNREACHABLE,
    Network,
    RoundTrips,
    great_circle_km,
    positions_of,
)

__all__ = ["LIGHT_US_PER_KM", "UNREACHABLE", "Network", "RoundTrips", "great_circle_km", "positions_of"]
