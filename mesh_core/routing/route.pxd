"""What a route does, compiled: read-only, in the snapshot's memory. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.body_limits cimport BodyLimitsC
from mesh_core.routing.cookie cimport CookieC
from mesh_core.routing.cors cimport CorsC
from mesh_core.routing.fault cimport FaultC
from mesh_core.routing.header_edits cimport HeaderEditsC
from mesh_core.routing.mirror cimport MirrorsC
from mesh_core.routing.rate_limit cimport RateLimitsC
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.timeouts cimport RouteTimeoutsC
from mesh_core.snapshot.tables cimport ClusterC, NameC
from mesh_core.upstream.hashing cimport multiply_high
from mesh_core.upstream.retry cimport RetryPolicyC

cdef enum RouteActionKind:
    ROUTE_FORWARD
    ROUTE_REDIRECT
    ROUTE_DIRECT_RESPONSE

cdef enum PathModifierKind:
    PATH_UNCHANGED
    PATH_FULL                  # `text` is the whole path
    PATH_PREFIX                # `text` stands in place of RouteC.matched_prefix

cdef enum RedirectScheme:
    REDIRECT_SCHEME_SAME
    REDIRECT_SCHEME_HTTP
    REDIRECT_SCHEME_HTTPS

cdef enum HashPolicyKind:
    HASH_HEADER                # `name` in whatever case
    HASH_COOKIE                # `cookie`
    HASH_SOURCE_IP
    HASH_QUERY_PARAMETER       # `name`

cdef enum RouteWriteError:     # of functions that write for a route; what they wrote then means nothing
    ROUTE_WRITE_OVERFLOW = -1  # longer than the buffer
    ROUTE_WRITE_NO_HOST = -2   # an absolute URL was to be made of a request without Host


cdef struct RouteClusterC:
    const ClusterC* cluster
    uint32_t subset            # of the cluster; SUBSET_NONE when it has none for this route
    uint64_t weight_end        # the sum of the weights up to this one, itself included
    uint64_t affinity_key      # names the cluster in a session's cookie
    HeaderEditsC request_headers   # apply after those of the route
    HeaderEditsC response_headers  # apply before those of the route


cdef struct PathModifierC:
    uint8_t kind               # PathModifierKind
    TextC text


cdef struct RedirectC:
    uint16_t status
    uint8_t scheme             # RedirectScheme
    uint16_t port              # 0: not given
    TextC host                 # empty: the request's
    PathModifierC path
    bint strip_query


cdef struct DirectResponseC:
    uint16_t status
    TextC body
    TextC content_type         # for a body that is not empty


cdef struct HashPolicyC:
    uint8_t kind               # HashPolicyKind
    bint terminal
    TextC name
    CookieC cookie


cdef struct SessionAffinityC:
    CookieC cookie
    bint strict


# All but the first three is filled in by control/route_action_compiler and the compilers of features, and may be copied
# into the RouteC of each match of the same route; those three are of the table's compiler.
cdef struct RouteC:
    NameC name                 # may be empty
    NameC virtual_host
    NameC matched_prefix       # what the path begins with, of a match by prefix; else empty
    uint8_t action             # RouteActionKind
    uint32_t cluster_count     # of ROUTE_FORWARD: 1 or more
    const RouteClusterC* clusters
    const RedirectC* redirect  # of ROUTE_REDIRECT
    const DirectResponseC* direct_response  # of ROUTE_DIRECT_RESPONSE
    PathModifierC path         # for the upstream
    TextC host                 # for the upstream; empty: the request's
    HeaderEditsC request_headers
    HeaderEditsC response_headers  # of any response, also of redirects and direct responses
    const CorsC* cors          # NULL, as each of the next ones: none
    const FaultC* fault
    const RateLimitsC* rate_limits
    const MirrorsC* mirrors
    const HashPolicyC* hash_policies
    uint32_t hash_policy_count
    const SessionAffinityC* affinity  # NULL: there is none
    const TextC* upgrades      # in lower case
    uint32_t upgrade_count
    bint allows_connect        # the method CONNECT
    const RouteTimeoutsC* timeouts  # NULL: the listener's settings are all
    const BodyLimitsC* body_limits  # NULL: there are none
    uint8_t priority           # Priority of its requests
    const RetryPolicyC* retry  # NULL: the cluster's


# The cluster for one request, by weight. `random`: 64 random bits. NULL when all weights are 0: the answer is 500, as
# the Gateway API says of a rule without a backend to go to.
cdef inline const RouteClusterC* route_choose_cluster(const RouteC* route, uint64_t random) noexcept nogil:
    cdef const RouteClusterC* chosen = route.clusters
    cdef uint64_t number = multiply_high(random, chosen[route.cluster_count - 1].weight_end)
    if chosen[route.cluster_count - 1].weight_end == 0:
        return NULL
    while chosen.weight_end <= number:
        chosen += 1
    return chosen

# The authority that the upstream is sent: the route's, else the request's.
cdef inline TextC route_authority(const RouteC* route, const RequestViewC* request) noexcept nogil:
    return route.host if route.host.size else request.authority

# Whether an Upgrade field's value, a list that may name several protocols, names only such as the route allows; False
# for an empty list. Where it is not, the request goes on without the field.
cdef bint route_allows_upgrade(const RouteC* route, const uint8_t* upgrade, size_t size) noexcept nogil
