"""The traffic policies of routes; the contract stands in policy_compiler.pxd."""

from weakref import WeakValueDictionary

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.control.balancing cimport subset_index
from mesh_core.control.parts cimport ppm
from mesh_core.control.route_match_compiler cimport copy_text
from mesh_core.routing.cors cimport CorsC, CorsOriginC
from mesh_core.routing.fault cimport FaultC
from mesh_core.routing.mirror cimport MirrorC, MirrorsC
from mesh_core.routing.rate_buckets cimport RateBuckets
from mesh_core.routing.rate_limit cimport (
    RATE_KEY_HEADER, RATE_KEY_PATH_SEGMENTS, RATE_KEY_SOURCE_ADDRESS, RateKeyC, RateLimitC, RateLimitsC,
)
from mesh_core.routing.regex cimport RegexC
from mesh_core.snapshot.shared_count cimport SharedCount
from mesh_core.telemetry.stats cimport StatsScope

import msgspec

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


cdef class PolicyCompiler:
    """Makes the policies of a proxy's routes."""

    def __init__(self, registry):
        """`registry`: the StatsRegistry whose scopes the structs point to."""
        self.registry = registry
        self.buckets = WeakValueDictionary()
        self.counts = WeakValueDictionary()

    cdef compile(self, RouteMatchCompiler matches, RouteC* out, host, route, dict clusters):
        cdef Snapshot snapshot = matches.snapshot
        cdef MirrorsC* compiled
        cors = host.cors if route.cors is None else route.cors
        fault = host.fault if route.fault is None else route.fault
        rate_limits = host.rate_limits if route.rate_limits is None else route.rate_limits
        mirrors = host.mirrors if route.mirrors is None else route.mirrors
        if cors is not None:
            out.cors = compile_cors(matches, cors)
        if fault is not None:
            out.fault = self.fault(matches, fault)
        if rate_limits:
            out.rate_limits = self.rate_limits(matches, rate_limits)
        if mirrors and out.cluster_count:
            compiled = self.mirrors(snapshot, mirrors, clusters)
            if any([ppm(mirror.percentage) for mirror in mirrors]):
                # Those that get nothing have counters all the same, and no part in requests.
                out.mirrors = compiled

    cdef FaultC* fault(self, RouteMatchCompiler matches, settings) except NULL:
        cdef FaultC* out = <FaultC*>matches.snapshot.allocate(sizeof(FaultC))
        if settings.delay is not None:
            out.delay_ms = settings.delay.fixed_ms
            out.delay_ppm = ppm(settings.delay.percentage)
        if settings.abort is not None:
            out.abort_status = settings.abort.status
            out.abort_ppm = ppm(settings.abort.percentage)
        out.headers = matches.headers(settings.headers)
        out.header_count = <uint32_t>len(settings.headers)
        out.by_request_headers = settings.by_request_headers
        out.max_active = settings.max_active or 0
        # Two that are written alike are one.
        out.active = self.count(matches.snapshot, ("fault", msgspec.json.encode(settings)))
        return out

    cdef RateLimitsC* rate_limits(self, RouteMatchCompiler matches, rules) except NULL:
        cdef RateLimitsC* out = <RateLimitsC*>matches.snapshot.allocate(sizeof(RateLimitsC))
        cdef RateLimitC* table = <RateLimitC*>matches.snapshot.allocate(len(rules) * sizeof(RateLimitC))
        for index, rule in enumerate(rules):
            self.rate_limit(matches, &table[index], rule)
        out.rules = table
        out.count = <uint32_t>len(rules)
        return out

    cdef rate_limit(self, RouteMatchCompiler matches, RateLimitC* out, rule):
        cdef Snapshot snapshot = matches.snapshot
        cdef RateBuckets buckets
        cdef RateKeyC* keys = <RateKeyC*>snapshot.allocate(len(rule.descriptors) * sizeof(RateKeyC))
        known = msgspec.json.encode(rule)
        buckets = self.buckets.get(known)
        if buckets is None:
            buckets = self.buckets[known] = RateBuckets(
                rule.max_tokens, rule.tokens_per_fill, rule.fill_interval_ms,
                rule.max_descriptors if rule.descriptors else 0)
        snapshot.keep.append(buckets)
        out.buckets = &buckets.buckets
        for index, key in enumerate(rule.descriptors):
            if key.header is not None:
                keys[index].kind = RATE_KEY_HEADER
                keys[index].name = copy_text(snapshot, key.header)
            elif key.path_segments is not None:
                keys[index].kind = RATE_KEY_PATH_SEGMENTS
                keys[index].segments = key.path_segments
            else:
                keys[index].kind = RATE_KEY_SOURCE_ADDRESS
        out.keys = keys
        out.key_count = <uint32_t>len(rule.descriptors)
        out.headers = matches.headers(rule.headers)
        out.header_count = <uint32_t>len(rule.headers)
        out.status = rule.status
        out.enforced_ppm = ppm(rule.enforced_percentage)
        out.retry_after = rule.retry_after
        out.x_ratelimit_headers = rule.x_ratelimit_headers
        out.stats = self.stats(snapshot, "rate_limit", rule.name)

    cdef MirrorsC* mirrors(self, Snapshot snapshot, mirrors, dict clusters) except NULL:
        cdef MirrorsC* out = <MirrorsC*>snapshot.allocate(sizeof(MirrorsC))
        cdef MirrorC* table = <MirrorC*>snapshot.allocate(len(mirrors) * sizeof(MirrorC))
        for index, mirror in enumerate(mirrors):
            cluster, place, subsets = clusters[mirror.cluster]
            table[index].cluster = &snapshot.table.clusters[<uint32_t>place]
            table[index].subset = subset_index(cluster, subsets, mirror.subset)
            table[index].ppm = ppm(mirror.percentage)
            table[index].shadow_host = mirror.shadow_host
            table[index].max_concurrent = mirror.max_concurrent
            table[index].max_body_bytes = mirror.max_body_bytes
            table[index].timeout_ms = mirror.timeout_ms
            table[index].active = self.count(snapshot, ("mirror", mirror.cluster))
            table[index].stats = self.stats(snapshot, "mirror", mirror.cluster)
        out.mirrors = table
        out.count = <uint32_t>len(mirrors)
        return out

    cdef uint64_t* count(self, Snapshot snapshot, tuple key) except NULL:
        cdef SharedCount count = self.counts.get(key)
        if count is None:
            count = self.counts[key] = SharedCount()
        snapshot.keep.append(count)
        return &count.value

    cdef uint64_t** stats(self, Snapshot snapshot, str kind, str name) except NULL:
        cdef StatsScope scope = self.registry.scope(kind, name)
        snapshot.keep.append(scope)
        return scope.blocks


# --- CORS ---

cdef CorsC* compile_cors(RouteMatchCompiler matches, settings) except NULL:
    cdef Snapshot snapshot = matches.snapshot
    cdef CorsC* out = <CorsC*>snapshot.allocate(sizeof(CorsC))
    cdef CorsOriginC* origins = <CorsOriginC*>snapshot.allocate(len(settings.allow_origins) * sizeof(CorsOriginC))
    cdef RegexC* regexes = <RegexC*>snapshot.allocate(len(settings.allow_origin_regexes) * sizeof(RegexC))
    for index, origin in enumerate(settings.allow_origins):
        compile_origin(snapshot, &origins[index], origin)
    for index, pattern in enumerate(settings.allow_origin_regexes):
        regexes[index] = matches.regex(pattern)[0]
    out.any_origin = "*" in settings.allow_origins
    out.origins = origins
    out.origin_count = <uint32_t>len(settings.allow_origins)
    out.regexes = regexes
    out.regex_count = <uint32_t>len(settings.allow_origin_regexes)
    out.any_method = "*" in settings.allow_methods
    out.any_header = "*" in settings.allow_headers
    out.methods = copy_text(snapshot, ", ".join(settings.allow_methods))
    out.headers = copy_text(snapshot, ", ".join(settings.allow_headers))
    out.exposed = copy_text(snapshot, ", ".join(settings.expose_headers))
    out.max_age = copy_text(snapshot, str(settings.max_age_s))
    out.allow_credentials = settings.allow_credentials
    out.forward_unmatched = settings.forward_unmatched_preflights
    return out


cdef compile_origin(Snapshot snapshot, CorsOriginC* out, str origin):
    scheme, separator, rest = origin.partition("://")
    # A browser does not write its scheme's own port.
    rest = rest.removesuffix(DEFAULT_PORTS.get(scheme.lower(), "") or "\0")
    out.is_pattern = rest.startswith("*")
    out.text = copy_text(snapshot, scheme + separator if out.is_pattern else scheme + separator + rest)
    host, colon, port = rest.partition(":")
    out.suffix = copy_text(snapshot, host[1:])
    out.port = copy_text(snapshot, colon + port)
