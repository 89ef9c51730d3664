"""From virtual hosts and routes to look-up tables; the contract stands in route_compiler.pxd."""

import secrets

from libc.stdint cimport uint16_t, uint32_t, uint64_t, uintptr_t
from mesh_core.control.retry_compiler cimport compile_route_retry
from mesh_core.control.route_action_compiler cimport compile_route_action
from mesh_core.control.route_bounds_compiler cimport compile_body_limits, compile_timeouts
from mesh_core.control.route_match_compiler cimport RouteMatchCompiler, copy_text
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.path_table cimport PathNodeC, PathPlaceC, PathTableC, path_place
from mesh_core.routing.route cimport RouteC
from mesh_core.routing.route_match cimport RouteMatchC, RouteMatchesC
from mesh_core.routing.route_table cimport route_of_all
from mesh_core.routing.text_hash cimport hash_byte, hash_end
from mesh_core.routing.virtual_host_table cimport (
    HostPlaceC, HostPortC, VirtualHostC, VirtualHostTableC, host_place,
)
from mesh_core.snapshot.tables cimport NameC

from msgspec.structs import replace

from mesh_core.config.host_pattern import parse_host_pattern
from mesh_core.config.regex import compile_regex, literal
from mesh_core.config.schema import HttpSettings, PathMatch, Route, RouteMatch, VirtualHost

ANY_PATH = PathMatch(prefix="/")

# The groups of a node.
EXACT, PREFIXES, REGEXES = range(3)


cdef RouteTableC* compile_routes(Snapshot snapshot, destination, dict clusters, PolicyCompiler policies) except NULL:
    cdef RouteTableC* table = <RouteTableC*>snapshot.allocate(sizeof(RouteTableC))
    cdef RouteMatchCompiler matches = RouteMatchCompiler(snapshot)
    cdef VirtualHostC* hosts
    cdef dict ports = {}
    virtual_hosts = virtual_hosts_of(destination)
    hosts = <VirtualHostC*>snapshot.allocate(len(virtual_hosts) * sizeof(VirtualHostC))
    for index, host in enumerate(virtual_hosts):
        hosts[index].name = name_of(copy_text(snapshot, host.name))
        compile_paths(matches, &hosts[index], (destination.http or HttpSettings(), host, policies), clusters)
        for text in host.hosts:
            pattern = parse_host_pattern(text)
            ports.setdefault(pattern.text, []).append((pattern.port or 0, index))
    compile_hosts(snapshot, &table.hosts, hosts, ports)
    table.only = route_of_all(table)
    return table


def virtual_hosts_of(destination):
    """The virtual hosts of a destination, whichever way it writes them."""
    if destination.virtual_hosts is not None:
        return destination.virtual_hosts
    routes = destination.routes
    if routes is None:
        routes = (Route(cluster=destination.cluster, subset=destination.subset),)
    return (VirtualHost(name="*", hosts=("*",), routes=routes),)


cdef NameC name_of(TextC text) noexcept:
    return NameC(<const char*>text.bytes, <uint16_t>text.size)


# --- virtual hosts by name ---

cdef compile_hosts(Snapshot snapshot, VirtualHostTableC* out, VirtualHostC* hosts, dict ports):
    """`ports`: of each text of a HostPattern the ports (0: every) and the indexes of their virtual hosts."""
    cdef HostPlaceC* place
    cdef TextC text
    out.seed = secrets.randbits(64)
    out.mask = places_for(len(ports)) - 1
    out.places = <HostPlaceC*>snapshot.allocate((out.mask + 1) * sizeof(HostPlaceC))
    for key, entries in ports.items():
        text = copy_text(snapshot, key)
        place = &out.any
        if key:
            place = host_place(out, host_hash(out.seed, text), text.bytes, text.size)
            place.hash = host_hash(out.seed, text)
            out.longest = max(out.longest, <uint32_t>text.size)
            out.sizes |= <uint64_t>1 << (text.size & 63)
        place.text = text
        compile_ports(snapshot, place, hosts, sorted(entries))


cdef compile_ports(Snapshot snapshot, HostPlaceC* out, VirtualHostC* hosts, list entries):
    cdef HostPortC* ports = <HostPortC*>snapshot.allocate(len(entries) * sizeof(HostPortC))
    out.ports = ports
    for port, index in entries:
        if port == 0:
            out.every = &hosts[<uint32_t>index]
        else:
            ports[out.port_count].port = port
            ports[out.port_count].host = &hosts[<uint32_t>index]
            out.port_count += 1


cdef uint32_t places_for(count) except 0:
    """At most half of them taken, so that a search soon meets an empty place."""
    return 1 << (2 * max(count, 1) - 1).bit_length()


cdef uint64_t host_hash(uint64_t hash, TextC text) noexcept:
    cdef size_t index = text.size
    while index:
        index -= 1
        hash = hash_byte(hash, text.bytes[index])
    return hash_end(hash)


# --- a virtual host's matches by path ---

cdef compile_paths(RouteMatchCompiler compiler, VirtualHostC* out, scope, dict clusters):
    """Group the matches by what they are looked up with, each group in the order in which they count."""
    cdef dict groups = {"": ([], [], [])}
    cdef dict tables = {}
    out.paths.seed = secrets.randbits(64)
    ordered = [(match, route) for route in scope[1].routes for match in route.matches or (RouteMatch(),)]
    is_listed = scope[1].route_order == "listed"
    if not is_listed:
        ordered.sort(key=precedence)
    for rank, (match, route) in enumerate(ordered):
        path = match.path or ANY_PATH
        kind, text = (REGEXES, "") if is_listed else looked_up_with(path)
        prefix = path.prefix.rstrip("/") if path.prefix is not None else ""
        out.paths.has_regexes = out.paths.has_regexes or kind == REGEXES
        table = compile_route(compiler, out, scope, route, prefix, clusters, tables)
        groups.setdefault(text, ([], [], []))[kind].append((rank, by_regex(match) if is_listed else match, table))
    compile_nodes(compiler, &out.paths, groups)


def precedence(entry):
    """What counts where paths are equal; the order in the list is what sorting keeps."""
    match, _route = entry
    return match.method is None, -len(match.headers), -len(match.query_parameters)


def looked_up_with(path):
    """Which group of a node's a match is in, and the node's text."""
    if path.exact is not None:
        return EXACT, path.exact
    if path.prefix is not None:
        return PREFIXES, path.prefix.rstrip("/")
    # Where the expression fits, the path is at or below this.
    return REGEXES, compile_regex(path.regex).literal_prefix.rpartition("/")[0]


def by_regex(match):
    """The same match by a regular expression, so that it can be asked in its turn: those of a node are, by rank."""
    path = match.path or ANY_PATH
    if path.regex is not None:
        return match
    if path.exact is not None:
        return replace(match, path=PathMatch(regex=literal(path.exact)))
    text = path.prefix.rstrip("/")
    # The root fits what is no path, too.
    return replace(match, path=PathMatch(regex=literal(text) + "(/(?s).*)?") if text else None)


cdef compile_route(
    RouteMatchCompiler compiler, VirtualHostC* host, scope, route, str prefix, dict clusters, dict tables
):
    """The address of the RouteC for matches with this prefix. `scope`: the HttpSettings of the listener, the
    VirtualHost, and the PolicyCompiler; `tables`: those that were made before."""
    cdef Snapshot snapshot = compiler.snapshot
    cdef PolicyCompiler policies = scope[2]
    cdef RouteC* out
    cdef RouteC* first
    if (id(route), prefix) not in tables:
        out = <RouteC*>snapshot.allocate(sizeof(RouteC))
        if id(route) in tables:
            first = <RouteC*><uintptr_t>tables[id(route)]
            out[0] = first[0]
        else:
            compile_route_action(snapshot, out, route, clusters)
            out.timeouts = compile_timeouts(snapshot, scope[0], scope[1], route)
            out.body_limits = compile_body_limits(snapshot, scope[0], scope[1], route)
            out.retry = compile_route_retry(snapshot, route.retry or scope[1].retry)
            policies.compile(compiler, out, scope[1], route, clusters)
            out.name = name_of(copy_text(snapshot, route.name or ""))
            out.virtual_host = host.name
            tables[id(route)] = <uintptr_t>out
        out.matched_prefix = name_of(copy_text(snapshot, prefix))
        tables[id(route), prefix] = <uintptr_t>out
    return tables[id(route), prefix]


cdef compile_nodes(RouteMatchCompiler compiler, PathTableC* out, dict groups):
    """`groups`: of each node's text the entries of its three groups; the root's is empty."""
    cdef Snapshot snapshot = compiler.snapshot
    cdef PathNodeC* nodes = <PathNodeC*>snapshot.allocate(len(groups) * sizeof(PathNodeC))
    cdef PathNodeC* node
    cdef PathPlaceC* place
    cdef TextC text
    cdef uint64_t hash
    cdef dict indexes = {key: index for index, key in enumerate(groups)}
    out.root = nodes
    out.mask = places_for(len(groups)) - 1
    out.places = <PathPlaceC*>snapshot.allocate((out.mask + 1) * sizeof(PathPlaceC))
    for index, (key, (exact, prefixes, regexes)) in enumerate(groups.items()):
        node = &nodes[index]
        compile_matches(compiler, &node.exact, exact)
        compile_matches(compiler, &node.prefixes, prefixes)
        compile_matches(compiler, &node.regexes, regexes)
        if not key:
            continue
        text = copy_text(snapshot, key)
        hash = path_hash(out.seed, text)
        place = path_place(out, hash, text.bytes, text.size)
        place.hash = hash
        place.node = node
        node.text = text
        out.sizes |= <uint64_t>1 << (text.size & 63)
        node.parent = &nodes[<uint32_t>indexes[parent(key, indexes)]]
        out.longest = max(out.longest, <uint32_t>text.size)


def parent(text, known):
    """The longest of the texts `known`, the empty one among them, that `text` is below."""
    text = text.rpartition("/")[0]
    while text not in known:
        text = text.rpartition("/")[0]
    return text


cdef uint64_t path_hash(uint64_t hash, TextC text) noexcept:
    cdef size_t index
    for index in range(text.size):
        hash = hash_byte(hash, text.bytes[index])
    return hash_end(hash)


cdef compile_matches(RouteMatchCompiler compiler, RouteMatchesC* out, list entries):
    cdef RouteMatchC* item
    if not entries:
        return
    out.items = <RouteMatchC*>compiler.snapshot.allocate(len(entries) * sizeof(RouteMatchC))
    out.count = <uint32_t>len(entries)
    for index, (rank, match, table) in enumerate(entries):
        item = &out.items[index]
        item.rank = <uint32_t>rank
        item.route = <const RouteC*><uintptr_t>table
        if match.path is not None and match.path.regex is not None:
            item.path = compiler.regex(match.path.regex)
        compiler.compile(item, match)
