"""DestinationRules of one host: which one holds for a client, and what several say together.

Istio's rules: of the rules that a client may see, those of its own namespace go first, then those of the service's,
then those of the root namespace; of each namespace the one whose host is named most exactly. Rules of one namespace
for the same host are one: the subsets of all, and the policy of the oldest that has one. A rule with a
workloadSelector holds for those clients of its namespace only, and goes before one without.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from mesh_cp.model.names import specificity
from mesh_cp.model.problem import Problem
from mesh_cp.model.service import visible_to
from mesh_cp.model.workload import has_labels
from mesh_cp.resources import Key, Resource
from mesh_cp.resources.destination_rule import DestinationRuleSpec, Subset, TrafficPolicy


class Rule(Struct, frozen=True, kw_only=True):
    """What DestinationRules of one namespace say of one host, or of a wildcard, together."""

    namespace: str
    host: str
    policy: TrafficPolicy = TrafficPolicy()
    subsets: tuple[Subset, ...] = ()
    visible_to: frozenset[str] = frozenset()
    selector: dict[str, str] = {}
    keys: tuple[Key, ...] = ()

    def subset(self, name: str) -> Subset | None:
        """The subset of that name."""
        return next((subset for subset in self.subsets if subset.name == name), None)


class Client(Struct, frozen=True, kw_only=True):
    """A workload as one that dials: what rules and routes may ask of it."""

    namespace: str
    labels: dict[str, str] = {}


def merged(resources: Iterable[tuple[str, Resource]], problems: list[Problem]) -> list[Rule]:
    """The rules that DestinationRules make, each given with its resolved host, the oldest first."""
    rules: dict[tuple[object, ...], Rule] = {}
    for host, resource in resources:
        spec = resource.spec
        assert isinstance(spec, DestinationRuleSpec)
        selector = spec.workload_selector.wanted if spec.workload_selector is not None else {}
        visible = visible_to(spec.export_to, resource.namespace)
        identity = (resource.namespace, host, visible, tuple(sorted(selector.items())))
        rule = rules.get(identity)
        if rule is None:
            rules[identity] = Rule(
                namespace=resource.namespace,
                host=host,
                policy=spec.traffic_policy or TrafficPolicy(),
                subsets=spec.subsets,
                visible_to=visible,
                selector=selector,
                keys=(resource.key,),
            )
        else:
            rules[identity] = _with(rule, spec, resource.key, problems)
    return list(rules.values())


def _with(rule: Rule, spec: DestinationRuleSpec, key: Key, problems: list[Problem]) -> Rule:
    """`rule` and what a younger DestinationRule adds to it."""
    added = []
    for subset in spec.subsets:
        if rule.subset(subset.name) is None:
            added.append(subset)
        elif rule.subset(subset.name) != subset:
            message = f"the subset {subset.name} of {rule.host} is that of {rule.keys[0]}, which is older"
            problems.append(Problem(key=key, path="spec.subsets", message=message))
    policy = rule.policy
    if spec.traffic_policy is not None:
        if policy == TrafficPolicy():
            policy = spec.traffic_policy
        elif policy != spec.traffic_policy:
            message = f"the trafficPolicy of {rule.host} is that of {rule.keys[0]}, which is older"
            problems.append(Problem(key=key, path="spec.trafficPolicy", message=message))
    return Rule(
        namespace=rule.namespace,
        host=rule.host,
        policy=policy,
        subsets=(*rule.subsets, *added),
        visible_to=rule.visible_to,
        selector=rule.selector,
        keys=(*rule.keys, key),
    )


def rule_for(rules: Iterable[Rule], client: Client, namespace: str, root_namespace: str) -> Rule:
    """The rule that holds for `client`, out of those for a host of `namespace`; one that says nothing if none does."""
    best: tuple[tuple[int, tuple[bool, int], bool], Rule] | None = None
    tiers = {root_namespace: 1, namespace: 2, client.namespace: 3}
    for rule in rules:
        tier = tiers.get(rule.namespace, 0)
        if tier == 0 or (rule.visible_to and client.namespace not in rule.visible_to):
            continue
        if rule.selector and (rule.namespace != client.namespace or not has_labels(client.labels, rule.selector)):
            continue
        rank = (tier, specificity(rule.host), bool(rule.selector))
        if best is None or rank > best[0]:
            best = (rank, rule)
    return best[1] if best is not None else NO_RULE


NO_RULE = Rule(namespace="", host="")
"""What holds where nobody said anything."""
