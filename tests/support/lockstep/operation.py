# SPDX-License-Identifier: Apache-2.0
"""The table of operations.

An operation is a function of a Side and plain arguments (numbers, text, lists), so that a log of them can be written down and
replayed; its other half chooses the arguments.
"""
import collections

Operation = collections.namedtuple("Operation", "weight choose apply")

OPERATIONS = {}


def operation(weight, choose):
    """Registers it under its name; one of twice the weight happens twice as often."""

    def register(apply):
        OPERATIONS[apply.__name__] = Operation(weight, choose, apply)
        return apply

    return register
