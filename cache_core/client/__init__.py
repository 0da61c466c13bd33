"""The side that asks a cluster for keys: a get under way, the next node to ask, and near copies.

The room knows the members and the links of `cluster`, and how `membership` finds them. It knows no
group and no source: a client holds nothing but copies of what nodes answered, and those only for as
long as the nodes promise to tell it of removals.
"""
