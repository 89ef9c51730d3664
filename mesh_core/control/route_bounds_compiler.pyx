"""The time-outs and body limits of a route; the contract stands in route_bounds_compiler.pxd."""


cdef const RouteTimeoutsC* compile_timeouts(Snapshot snapshot, settings, host, route) except? NULL:
    cdef RouteTimeoutsC* out
    said = [each.timeouts for each in (route, host) if each.timeouts is not None]
    if not said:
        return NULL
    out = <RouteTimeoutsC*>snapshot.allocate(sizeof(RouteTimeoutsC))
    out.request_ms = first_of(said, "request_ms", 0)
    out.per_try_ms = first_of(said, "per_try_ms", 0)
    out.stream_idle_ms = first_of(said, "stream_idle_ms", settings.stream_idle_timeout_ms)
    out.max_stream_duration_ms = first_of(said, "max_stream_duration_ms", settings.max_stream_duration_ms)
    return out


cdef const BodyLimitsC* compile_body_limits(Snapshot snapshot, settings, host, route) except? NULL:
    cdef BodyLimitsC* out
    said = [each.body_limits for each in (route, host, settings) if each.body_limits is not None]
    request, response = (first_of(said, field, 0) for field in ("request_bytes", "response_bytes"))
    if not request and not response:
        return NULL
    out = <BodyLimitsC*>snapshot.allocate(sizeof(BodyLimitsC))
    out.request_bytes = request
    out.response_bytes = response
    return out


def first_of(said, str field, otherwise):
    """The first value of the field that is given, of several settings, the nearest first."""
    return next((getattr(each, field) for each in said if getattr(each, field) is not None), otherwise)
