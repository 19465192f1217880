# SPDX-License-Identifier: Apache-2.0
"""Random operations on two trees that must go on being equal; see model.py beside it.

    side         a tree, what is open in it, and what its calls return
    choice       what random operations are about
    names, data, attributes, directories
                 the operations: how each is chosen, and what it does to one tree
    snapshot     all of a tree, and what differs between two
    populate     a tree to start from
    run, minimise
                 the two in lockstep; fewer operations that still tell them apart
"""
