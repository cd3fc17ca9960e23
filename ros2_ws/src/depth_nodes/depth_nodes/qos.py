# SPDX-License-Identifier: Apache-2.0
"""Quality of service of the nodes' topics, and its overrides by parameter."""

from __future__ import annotations

from collections.abc import Iterable

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

# SensorDataQoS with depth 1: the newest frame counts, a queue would only add age.
INPUT_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.BEST_EFFORT,
    durability=DurabilityPolicy.VOLATILE,
)
# What fits a publisher that keeps its last message for those who come later, and no other.
LATCHED_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
OUTPUT_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE)

OVERRIDABLE = (QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH, QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY)
PREFIX = "qos_overrides."
# Topics of rclpy itself, whose overrides are its own affair.
_ROS_OWN = ("/clock", "/parameter_events", "/rosout")


def override_options() -> QoSOverridingOptions:
    """The policies that a parameter may override; rclpy's own default leaves durability out."""
    return QoSOverridingOptions(OVERRIDABLE)


def check_overrides(node: Node, subscribed: Iterable[str], published: Iterable[str]) -> None:
    """Raise ValueError for a qos_overrides parameter that overrides nothing: rclpy passes over it without a word.

    subscribed, published: the node's topics before namespace and remaps.
    """
    kinds = {"subscription": subscribed, "publisher": published}
    entities = [f"{node.resolve_topic_name(topic)}.{kind}" for kind, topics in kinds.items() for topic in topics]
    policies = [kind.name.lower() for kind in OVERRIDABLE]
    known = {f"{PREFIX}{entity}.{policy}" for entity in entities for policy in policies}
    own = tuple(f"{PREFIX}{topic}." for topic in _ROS_OWN)
    given = [name for name in node._parameter_overrides if name.startswith(PREFIX) and not name.startswith(own)]
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"expected {PREFIX}TOPIC.POLICY with TOPIC among {sorted(entities)} and POLICY among {policies}, got "
            f"{', '.join(unknown)}; correct the name in the params_file or on the command line"
        )
