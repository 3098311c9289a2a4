"""Numbers of fields that a graph's messages have (graph.proto, function.proto, node_def.proto)."""

from __future__ import annotations

__all__ = [
    "FUNCTION",
    "FUNCTION_NODE",
    "LIBRARY",
    "NODE_ATTR",
    "NODE_INPUT",
    "NODE_NAME",
    "NODE_OP",
    "SIGNATURE",
]

LIBRARY = 2
"""GraphDef.library; of its FunctionDefLibrary:"""
FUNCTION = 1
"""of a FunctionDef:"""
SIGNATURE, FUNCTION_NODE = 1, 3
NODE_NAME, NODE_OP, NODE_INPUT, NODE_ATTR = 1, 2, 3, 5
"""of a NodeDef, in a graph or in a function."""
