"""What routes do, from Python; requests lie in heap blocks of exactly their size."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from mesh_core._testing.convert cimport exact_copy, peer_address
from mesh_core.control.route_action_compiler cimport compile_route_action
from mesh_core.http1.framing cimport FramingC, request_framing
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.head cimport (
    FIELD_REMOVED, HEAD_COMPLETE, HEAD_REQUEST, FieldC, HeadC, head_begin, head_parse,
)
from mesh_core.http1.limits cimport HTTP1_FIELD_COUNT, Http1LimitsC, http1_limits_default
from mesh_core.http1.method cimport METHOD_GET
from mesh_core.http1.path cimport ESCAPED_SLASHES_KEEP, PathOptionsC, path_normalize
from mesh_core.http1.serialize cimport AddedFieldC, TextC
from mesh_core.http1.target cimport TARGET_ORIGIN, TargetC, target_parse
from mesh_core.net.address cimport PeerAddressC
from mesh_core.routing.cookie cimport COOKIE_WRITE_MOST, cookie_find, cookie_find_in
from mesh_core.routing.hash_policy cimport RouteHashC, hash_cookie_write, route_hash
from mesh_core.routing.header_edits cimport HEADER_ADDED_MOST, HeaderEditsC, header_edits_apply
from mesh_core.routing.path_rewrite cimport PATH_MODIFIER_MOST, route_target_write
from mesh_core.routing.redirect cimport REDIRECT_MORE_BYTES, redirect_location_write
from mesh_core.routing.request_view cimport RequestViewC
from mesh_core.routing.route cimport (
    ROUTE_WRITE_NO_HOST, RouteC, RouteClusterC, route_allows_upgrade, route_authority,
    route_choose_cluster,
)
from mesh_core.routing.session_affinity cimport (
    AFFINITY_FOUND, AFFINITY_LOST, AFFINITY_NONE, affinity_cookie_write, affinity_find,
)
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.snapshot.tables cimport EndpointC, NameC

VERDICTS = {AFFINITY_NONE: "none", AFFINITY_FOUND: "found", AFFINITY_LOST: "lost"}


class Unwritten(Exception):
    """Why nothing was written: "overflow" or "no host"."""


cdef TextC text_of(bytes content):
    return TextC(<const uint8_t*><const char*>content, len(content))


cdef bytes text_bytes(TextC text):
    return text.bytes[:text.size] if text.size else b""


cdef str name_text(const NameC* name):
    return name.text[:name.size].decode()


cdef class Request:
    """A request as routing sees it."""

    cdef uint8_t* block
    cdef uint8_t* path
    cdef HeadC head
    cdef FieldC[HTTP1_FIELD_COUNT] fields
    cdef PeerAddressC remote
    cdef RequestViewC view

    def __init__(self, bytes data, *, bint secure=False, local_port=80, bytes remote=None, bint merge_slashes=False):
        """`data`: a whole head. Raises ValueError when the codec refuses it."""
        cdef Http1LimitsC limits
        cdef FramingC framing
        cdef PathOptionsC options = PathOptionsC(True, merge_slashes, ESCAPED_SLASHES_KEEP)
        cdef size_t path_size
        http1_limits_default(&limits)
        limits.start_line_bytes = limits.head_bytes
        self.block = exact_copy(data)
        head_begin(&self.head, HEAD_REQUEST, self.fields)
        if head_parse(&self.head, self.block, len(data), &limits) != HEAD_COMPLETE:
            raise ValueError("no whole head")
        if request_framing(&self.head, self.block, &framing) != 0:
            raise ValueError("refused")
        self.path = exact_copy(self.slice(self.head.target.path))
        if path_normalize(&options, self.path, self.head.target.path.size, self.path, &path_size) < 0:
            raise ValueError("refused path")
        if remote is not None:
            self.remote = peer_address(remote)
        self.view.head = &self.head
        self.view.data = self.block
        self.view.method_id = self.head.method_id
        self.view.method = self.text(self.head.method)
        self.view.authority = self.text(framing.authority)
        self.view.path = TextC(self.path, path_size)
        self.view.query = self.text(self.head.target.query)
        self.view.has_query = self.head.target.has_query
        self.view.secure = secure
        self.view.local_port = local_port
        self.view.remote = &self.remote

    def __dealloc__(self):
        memory_free(self.block)
        memory_free(self.path)

    cdef TextC text(self, SliceC slice):
        return TextC(self.block + slice.at, slice.size)

    cdef bytes slice(self, SliceC slice):
        return self.block[slice.at:slice.at + slice.size]

    @property
    def normalized(self):
        """Path and query (None without one)."""
        return text_bytes(self.view.path), text_bytes(self.view.query) if self.view.has_query else None

    def cookie(self, bytes name):
        """The value of a cookie, or None."""
        cdef TextC wanted = text_of(name)
        cdef TextC value
        return text_bytes(value) if cookie_find(&self.head, self.block, &wanted, &value) else None


cdef class RouteActions:
    """A route's compiled actions."""

    cdef Snapshot snapshot
    cdef RouteC c
    cdef bytes prefix

    def __init__(self, route, *, bytes prefix=b"", Snapshot snapshot=None, clusters=(), subsets=None):
        """`clusters`: those of the configuration that `snapshot` was made of; `subsets`: of each name its subsets."""
        subsets = subsets or {}
        self.snapshot = Snapshot(1, 1) if snapshot is None else snapshot
        known = {each.name: (each, place, subsets.get(each.name, {})) for place, each in enumerate(clusters)}
        compile_route_action(self.snapshot, &self.c, route, known)
        self.prefix = prefix
        self.c.matched_prefix.text = <const char*>self.prefix
        self.c.matched_prefix.size = len(prefix)

    def target(self, Request request, capacity=None):
        """What the upstream is asked for; raises Unwritten. The default capacity is the most that may be needed."""
        cdef size_t most = request.view.path.size + request.view.query.size + PATH_MODIFIER_MOST + 2
        cdef size_t size = most if capacity is None else capacity
        cdef uint8_t* out = <uint8_t*>memory_alloc(max(<size_t>1, size))
        written = result(out, route_target_write(&self.c, &request.view, out, size))
        memory_free(out)
        return checked(written)

    def location(self, Request request, capacity=None):
        """Where the redirect leads; raises Unwritten."""
        cdef size_t most = (
            request.view.authority.size + request.view.path.size + request.view.query.size + REDIRECT_MORE_BYTES)
        cdef size_t size = most if capacity is None else capacity
        cdef uint8_t* out = <uint8_t*>memory_alloc(max(<size_t>1, size))
        written = result(out, redirect_location_write(&self.c, &request.view, out, size))
        memory_free(out)
        return checked(written)

    def authority(self, Request request):
        return text_bytes(route_authority(&self.c, &request.view))

    def choose(self, uint64_t random):
        """The place of the cluster among the route's, or None."""
        cdef const RouteClusterC* chosen = route_choose_cluster(&self.c, random)
        return None if chosen == NULL else chosen - self.c.clusters

    @property
    def chosen_clusters(self):
        """Name and subset of each."""
        return [(name_text(&self.c.clusters[each].cluster.name), self.c.clusters[each].subset)
                for each in range(self.c.cluster_count)]

    def hash(self, Request request, uint64_t random=0):
        """The hash or None, and the Set-Cookie to send or None."""
        cdef RouteHashC hash
        cdef uint8_t[COOKIE_WRITE_MOST] out
        cdef bint hashed = route_hash(&self.c, &request.view, random, &hash)
        cookie = None if hash.cookie == NULL else out[:hash_cookie_write(&hash, out, COOKIE_WRITE_MOST)]
        return hash.hash if hashed else None, cookie

    def affinity(self, Request request):
        """A word of VERDICTS, the place of the cluster and the endpoint's name or None."""
        cdef const RouteClusterC* chosen = NULL
        cdef EndpointC* endpoint = NULL
        verdict = VERDICTS[affinity_find(&self.c, &request.view, &chosen, &endpoint)]
        if endpoint == NULL:
            return verdict, None, None
        return verdict, chosen - self.c.clusters, name_text(&endpoint.name)

    def affinity_cookie(self, uint32_t place, uint32_t endpoint, size_t capacity=COOKIE_WRITE_MOST):
        """The Set-Cookie for an endpoint, by its index in the cluster, of one of the route's clusters."""
        cdef uint8_t* out = <uint8_t*>memory_alloc(max(<size_t>1, capacity))
        cdef const RouteClusterC* chosen = &self.c.clusters[place]
        written = out[:affinity_cookie_write(&self.c, chosen, &chosen.cluster.endpoints[endpoint], out, capacity)]
        memory_free(out)
        return written

    def edit(self, Request request, order=("route",), place=0, capacity=HEADER_ADDED_MOST):
        """The names and values that are left of the request's fields, and those that are added.

        `order`: whose changes are made: "route", "cluster" (that at `place`), "route response", "cluster response".
        """
        cdef AddedFieldC[HEADER_ADDED_MOST] added
        cdef uint32_t count = 0
        cdef HeaderEditsC edits
        for whose in order:
            if whose.startswith("cluster"):
                edits = self.c.clusters[place].request_headers
                if whose.endswith("response"):
                    edits = self.c.clusters[place].response_headers
            else:
                edits = self.c.response_headers if whose.endswith("response") else self.c.request_headers
            count = header_edits_apply(&edits, &request.head, request.block, added, count, capacity)
        kept = [(request.slice(request.fields[each].name), request.slice(request.fields[each].value))
                for each in range(request.head.field_count) if not request.fields[each].flags & FIELD_REMOVED]
        return kept, [(text_bytes(added[each].name), text_bytes(added[each].value)) for each in range(count)]

    def allows_upgrade(self, bytes upgrade):
        cdef uint8_t* block = exact_copy(upgrade)
        allows = bool(route_allows_upgrade(&self.c, block, len(upgrade)))
        memory_free(block)
        return allows

    @property
    def allows_connect(self):
        return bool(self.c.allows_connect)

    @property
    def direct_response(self):
        """Status, body and content type."""
        response = self.c.direct_response
        return response.status, text_bytes(response.body), text_bytes(response.content_type)

    @property
    def redirect_status(self):
        return self.c.redirect.status


cdef result(uint8_t* out, int64_t size):
    if size < 0:
        return Unwritten("no host" if size == ROUTE_WRITE_NO_HOST else "overflow")
    return out[:size]


def checked(written):
    """`written`, raised when it is an exception."""
    if isinstance(written, Exception):
        raise written
    return written


def is_origin_form(bytes target):
    cdef TargetC parts
    cdef uint8_t* block = exact_copy(target)
    valid = target_parse(block, SliceC(0, <uint32_t>len(target)), METHOD_GET, &parts) == 0
    memory_free(block)
    return valid and parts.form == TARGET_ORIGIN


def find_cookie(bytes field, bytes name):
    """The value of a cookie in one Cookie field's value, or None."""
    cdef uint8_t* block = exact_copy(field)
    cdef TextC wanted = text_of(name)
    cdef TextC value
    found = text_bytes(value) if cookie_find_in(block, len(field), &wanted, &value) else None
    memory_free(block)
    return found
