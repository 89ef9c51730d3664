"""What a route does, as C structs; the contract stands in route_action_compiler.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t, uintptr_t
from libc.string cimport memcpy
from mesh_core.control.balancing cimport subset_index
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.cookie cimport COOKIE_NO_TTL, CookieC
from mesh_core.routing.header_edits cimport EDIT_ADD, EDIT_REMOVE, EDIT_SET, HeaderEditC, HeaderEditsC
from mesh_core.routing.route cimport (
    HASH_COOKIE, HASH_HEADER, HASH_QUERY_PARAMETER, HASH_SOURCE_IP, PATH_FULL, PATH_PREFIX, PATH_UNCHANGED,
    REDIRECT_SCHEME_HTTP, REDIRECT_SCHEME_HTTPS, REDIRECT_SCHEME_SAME, ROUTE_DIRECT_RESPONSE, ROUTE_FORWARD,
    ROUTE_REDIRECT, DirectResponseC, HashPolicyC, PathModifierC, RedirectC, RouteClusterC, SessionAffinityC,
)
from mesh_core.routing.session_affinity cimport affinity_key
from mesh_core.snapshot.tables cimport SUBSET_NONE, EndpointC, EndpointKeyC, LevelTableC, PoolTableC, SubsetC

from mesh_core.upstream.endpoint_state import PRIORITIES

SCHEMES = {None: REDIRECT_SCHEME_SAME, "http": REDIRECT_SCHEME_HTTP, "https": REDIRECT_SCHEME_HTTPS}


cdef compile_route_action(Snapshot snapshot, RouteC* out, route, dict clusters):
    compile_edits(snapshot, &out.request_headers, route.request_headers)
    compile_edits(snapshot, &out.response_headers, route.response_headers)
    if route.redirect is not None:
        out.action = ROUTE_REDIRECT
        compile_redirect(snapshot, out, route.redirect)
        return
    if route.direct_response is not None:
        out.action = ROUTE_DIRECT_RESPONSE
        compile_direct_response(snapshot, out, route.direct_response)
        return
    out.action = ROUTE_FORWARD
    out.priority = PRIORITIES[route.priority]
    compile_clusters(snapshot, out, route, clusters)
    if route.rewrite is not None:
        compile_path(snapshot, &out.path, route.rewrite.path)
        out.host = compile_text(snapshot, route.rewrite.host or "")
    compile_hash_policies(snapshot, out, route.hash_policy)
    compile_affinity(snapshot, out, route.session_affinity)
    compile_upgrades(snapshot, out, route.upgrades)


cdef TextC compile_text(Snapshot snapshot, str content) except *:
    cdef bytes encoded = content.encode()
    cdef uint8_t* copy = <uint8_t*>snapshot.allocate(len(encoded))
    memcpy(copy, <const char*>encoded, len(encoded))
    return TextC(copy, len(encoded))


cdef compile_edits(Snapshot snapshot, HeaderEditsC* out, modifier):
    cdef HeaderEditC* edits
    cdef list changes
    if modifier is None:
        return
    changes = [
        *((EDIT_REMOVE, name, "") for name in modifier.remove),
        *((EDIT_SET, name, value) for name, value in modifier.set.items()),
        *((EDIT_ADD, name, value) for name, value in modifier.add.items()),
    ]
    edits = <HeaderEditC*>snapshot.allocate(len(changes) * sizeof(HeaderEditC))
    for index, (kind, name, value) in enumerate(changes):
        edits[index].kind = kind
        edits[index].name = compile_text(snapshot, name)
        edits[index].value = compile_text(snapshot, value)
    out.edits = edits
    out.count = <uint32_t>len(changes)


cdef compile_redirect(Snapshot snapshot, RouteC* out, redirect):
    cdef RedirectC* table = <RedirectC*>snapshot.allocate(sizeof(RedirectC))
    table.status = redirect.status
    table.scheme = SCHEMES[redirect.scheme]
    table.port = redirect.port or 0
    table.host = compile_text(snapshot, redirect.host or "")
    compile_path(snapshot, &table.path, redirect.path)
    table.strip_query = redirect.strip_query
    out.redirect = table


cdef compile_path(Snapshot snapshot, PathModifierC* out, modifier):
    if modifier is None:
        out.kind = PATH_UNCHANGED
    elif modifier.full is not None:
        out.kind = PATH_FULL
        out.text = compile_text(snapshot, modifier.full)
    else:
        out.kind = PATH_PREFIX
        out.text = compile_text(snapshot, modifier.prefix)


cdef compile_direct_response(Snapshot snapshot, RouteC* out, response):
    cdef DirectResponseC* table = <DirectResponseC*>snapshot.allocate(sizeof(DirectResponseC))
    table.status = response.status
    table.body = compile_text(snapshot, response.body)
    table.content_type = compile_text(snapshot, response.content_type)
    out.direct_response = table


# --- clusters ---

cdef compile_clusters(Snapshot snapshot, RouteC* out, route, dict clusters):
    cdef RouteClusterC* table
    cdef uint64_t weights = 0
    cdef bytes named
    choices = [route] if route.clusters is None else route.clusters
    # Most routes of a large table have one of few clusters and nothing special to it.
    alike = (route.cluster, repr(route.subset), route.session_affinity is not None)
    if route.clusters is None and alike in snapshot.shared:
        out.clusters = <const RouteClusterC*><uintptr_t>snapshot.shared[alike]
        out.cluster_count = 1
        return
    table = <RouteClusterC*>snapshot.allocate(len(choices) * sizeof(RouteClusterC))
    for index, choice in enumerate(choices):
        cluster, place, subsets = clusters[choice.cluster]
        weights += 1 if route.clusters is None else choice.weight
        named = repr((choice.cluster, sorted((choice.subset or {}).items()))).encode()
        table[index].cluster = &snapshot.table.clusters[<uint32_t>place]
        table[index].subset = subset_index(cluster, subsets, choice.subset)
        table[index].weight_end = weights
        table[index].affinity_key = affinity_key(named, len(named))
        if route.clusters is not None:
            compile_edits(snapshot, &table[index].request_headers, choice.request_headers)
            compile_edits(snapshot, &table[index].response_headers, choice.response_headers)
        if route.session_affinity is not None and table[index].subset != SUBSET_NONE:
            compile_endpoint_keys(snapshot, &table[index].cluster.subsets[table[index].subset])
    out.clusters = table
    out.cluster_count = <uint32_t>len(choices)
    if route.clusters is None:
        snapshot.shared[alike] = <uintptr_t>table


cdef compile_endpoint_keys(Snapshot snapshot, SubsetC* subset):
    """The table of the subset's endpoints, unless a route before had use for it."""
    cdef const LevelTableC* level
    cdef const PoolTableC* pool
    cdef uint32_t index, place, member, count = 0
    if subset.keys != NULL:
        return
    for index in range(subset.level_count):
        count += subset.levels[index].member_count
    # At most half full, so that a search soon meets an empty place.
    subset.key_mask = <uint32_t>((1 << (2 * count).bit_length()) - 1)
    subset.keys = <EndpointKeyC*>snapshot.allocate((<size_t>subset.key_mask + 1) * sizeof(EndpointKeyC))
    for index in range(subset.level_count):
        level = &subset.levels[index]
        for place in range(level.pool_count):
            pool = &level.pools[place]
            for member in range(pool.member_count):
                put_endpoint(subset, pool.members[member])


cdef void put_endpoint(SubsetC* subset, EndpointC* endpoint) noexcept nogil:
    cdef uint64_t key = affinity_key(endpoint.name.text, endpoint.name.size)
    cdef uint32_t at = <uint32_t>key & subset.key_mask
    while subset.keys[at].endpoint != NULL:
        at = (at + 1) & subset.key_mask
    subset.keys[at].key = key
    subset.keys[at].endpoint = endpoint


# --- what requests are known by ---

cdef compile_hash_policies(Snapshot snapshot, RouteC* out, policies):
    cdef HashPolicyC* table = <HashPolicyC*>snapshot.allocate(len(policies) * sizeof(HashPolicyC))
    for index, policy in enumerate(policies):
        table[index].terminal = policy.terminal
        if policy.header is not None:
            table[index].kind = HASH_HEADER
            table[index].name = compile_text(snapshot, policy.header)
        elif policy.cookie is not None:
            table[index].kind = HASH_COOKIE
            table[index].cookie = compile_cookie(snapshot, policy.cookie)
        elif policy.query_parameter is not None:
            table[index].kind = HASH_QUERY_PARAMETER
            table[index].name = compile_text(snapshot, policy.query_parameter)
        else:
            table[index].kind = HASH_SOURCE_IP
    out.hash_policies = table
    out.hash_policy_count = <uint32_t>len(policies)


cdef CookieC compile_cookie(Snapshot snapshot, cookie) except *:
    cdef CookieC out
    out.name = compile_text(snapshot, cookie.name)
    out.path = compile_text(snapshot, cookie.path)
    out.ttl_s = COOKIE_NO_TTL if cookie.ttl_s is None else cookie.ttl_s
    return out


cdef compile_affinity(Snapshot snapshot, RouteC* out, affinity):
    cdef SessionAffinityC* table
    if affinity is None:
        return
    table = <SessionAffinityC*>snapshot.allocate(sizeof(SessionAffinityC))
    table.cookie = compile_cookie(snapshot, affinity.cookie)
    table.strict = affinity.strict
    out.affinity = table


cdef compile_upgrades(Snapshot snapshot, RouteC* out, names):
    cdef list protocols = [name.lower() for name in names if name.lower() != "connect"]
    cdef TextC* table = <TextC*>snapshot.allocate(len(protocols) * sizeof(TextC))
    for index, name in enumerate(protocols):
        table[index] = compile_text(snapshot, name)
    out.upgrades = table
    out.upgrade_count = <uint32_t>len(protocols)
    out.allows_connect = len(protocols) < len(names)
