"""Which node of a graph must each path from its root pass? Lengauer and Tarjan's algorithm.

"A Fast Algorithm for Finding Dominators in a Flowgraph", ACM TOPLAS 1 (1979), the simple version:
the work grows as edges times the logarithm of nodes, whatever the graph, and nothing recurses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["Dominators", "dominators"]


class Dominators:
    """The nodes that can be reached, ordered so that what a node dominates stands together.

    Attributes:
        order: nodes, each before those that it dominates.
        ends: for each place in ``order`` the place after the last that is dominated by it.
        places: for each node its place.
    """

    __slots__ = ("ends", "order", "places")

    def __init__(self, parents: Mapping[int, int], found: Sequence[int]) -> None:
        inside: dict[int, list[int]] = {}
        for node in found[1:]:
            inside.setdefault(parents[node], []).append(node)
        self.order: list[int] = []
        pending = list(found[:1])
        while pending:
            node = pending.pop()
            self.order.append(node)
            pending.extend(reversed(inside.get(node, ())))
        self.places = {node: place for place, node in enumerate(self.order)}
        self.ends = [place + 1 for place in range(len(self.order))]
        for place in range(len(self.order) - 1, 0, -1):
            above = self.places[parents[self.order[place]]]
            self.ends[above] = max(self.ends[above], self.ends[place])

    def dominated_by(self, node: int) -> range:
        """Return the places of ``node`` and of all that it dominates."""
        place = self.places[node]
        return range(place, self.ends[place])


def dominators(children: Mapping[int, Sequence[int]], root: int) -> Dominators:
    """Return what each node that can be reached from ``root`` dominates."""
    order, tree = _searched(children, root)
    number = {node: index for index, node in enumerate(order)}
    leading: list[list[int]] = [[] for _ in order]
    for node in order:
        for child in children.get(node, ()):
            leading[number[child]].append(number[node])
    count = len(order)
    semi, best = list(range(count)), list(range(count))
    above: list[int] = [-1] * count  # in the forest of nodes that are done
    result = [0] * count
    waiting: list[list[int]] = [[] for _ in order]

    def lowest(node: int) -> int:
        """Return the node of least `semi` between ``node`` and its forest's root, compressing."""
        if above[node] < 0:
            return node
        path = [node]
        while above[above[path[-1]]] >= 0:
            path.append(above[path[-1]])
        for here in reversed(path[:-1]):
            up = above[here]
            if semi[best[up]] < semi[best[here]]:
                best[here] = best[up]
            above[here] = above[up]
        return best[node]

    for node in range(count - 1, 0, -1):
        semi[node] = min(semi[lowest(before)] for before in leading[node])
        waiting[semi[node]].append(node)
        parent = tree[node]
        above[node] = parent
        for held in waiting[parent]:
            least = lowest(held)
            result[held] = least if semi[least] < semi[held] else parent
        waiting[parent].clear()
    for node in range(1, count):
        if result[node] != semi[node]:
            result[node] = result[result[node]]
    return Dominators({order[n]: order[result[n]] for n in range(1, count)}, order)


def _searched(children: Mapping[int, Sequence[int]], root: int) -> tuple[list[int], list[int]]:
    """Return nodes in the order of a search in depth, and for each the number of its parent."""
    order: list[int] = []
    tree: list[int] = []
    seen: set[int] = set()
    pending = [(root, 0)]
    while pending:
        node, parent = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        number = len(order)
        order.append(node)
        tree.append(parent)
        pending.extend((child, number) for child in reversed(children.get(node, ())))
    return order, tree
