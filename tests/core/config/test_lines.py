"""Each key's line, against a file that has every way to write one."""

from cache_core.config.layers import line_of
from cache_core.config.lines import lines

TOML = b'''\
# a comment
a.b = 1
text = """
[not.a.table]
"""
[node] # with a comment
listen = "x"

[groups."sc.ores"]
'lite\\ral' = 1
"\\u0061\\tb" = 2
inline = { x = 1, y.z = { w = 2 } }
list = [
  1, # one
  { v = 3 },
]
[ groups . other ]
x = 1
[[many]]
k = 1
[[many]]
k = 2
'''


def test_every_key_has_the_line_where_it_stands_first() -> None:
    assert lines(TOML) == {
        ("a",): 2,
        ("a", "b"): 2,
        ("text",): 3,
        ("node",): 6,
        ("node", "listen"): 7,
        ("groups",): 9,
        ("groups", "sc.ores"): 9,
        ("groups", "sc.ores", "lite\\ral"): 10,
        ("groups", "sc.ores", "a\tb"): 11,
        ("groups", "sc.ores", "inline"): 12,
        ("groups", "sc.ores", "inline", "x"): 12,
        ("groups", "sc.ores", "inline", "y"): 12,
        ("groups", "sc.ores", "inline", "y", "z"): 12,
        ("groups", "sc.ores", "inline", "y", "z", "w"): 12,
        ("groups", "sc.ores", "list"): 13,
        ("groups", "sc.ores", "list", "0"): 14,
        ("groups", "sc.ores", "list", "1"): 15,
        ("groups", "sc.ores", "list", "1", "v"): 15,
        ("groups", "other"): 17,
        ("groups", "other", "x"): 18,
        ("many",): 19,
        ("many", "k"): 20,
    }


def test_what_is_not_there_has_the_line_of_the_table_that_should_have_it() -> None:
    known = lines(TOML)
    assert line_of(("groups", "other", "source", "url"), known) == 17
    assert line_of(("gateway",), known) == 0


def test_windows_line_ends_and_long_dotted_keys_are_no_trouble() -> None:
    assert lines(b"\r\n[a]\r\nb = 1\r\n")["a", "b"] == 3
    deep = lines(b".".join([b"k"] * 2000) + b" = 1")
    assert max(map(len, deep)) == 2000
