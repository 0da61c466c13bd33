"""Scripts that a store runs in one step each, in Lua. All keys and values are arguments."""

from hashlib import sha1
from typing import Final, NamedTuple

from cache_core.valkey.command import Command, Word
from cache_core.valkey.tier_record import HEAD_BYTES, MAGIC


class Script(NamedTuple):
    """A script about one key, in Lua, and its digest, by which it is called."""

    text: str
    digest: str

    @classmethod
    def of(cls, text: str) -> "Script":
        """Return the script `text`."""
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())

    def run(self, key: str, *arguments: Word) -> Command:
        """Return the command that runs it on `key`."""
        call = (1, key, *arguments)
        return Command(key, ("EVALSHA", self.digest, *call), ("EVAL", self.text, *call))


EPOCH: Final = Script.of("""
local epoch = redis.pcall('GET', KEYS[1])
if type(epoch) == 'string' and #epoch == #ARGV[1] then return epoch end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
""")
"""Return the group's epoch; where there is none, make ARGV[1] the epoch."""

LOOK: Final = Script.of(f"""
local record = redis.pcall('GET', KEYS[1])
if type(record) == 'string' and #record >= {HEAD_BYTES}
    and string.sub(record, 1, {len(MAGIC)}) == '{MAGIC.decode()}' then
    local now = redis.call('TIME')
    return {{record, redis.call('PTTL', KEYS[1]), now[1], now[2]}}
end
if type(record) == 'table' and record.err and string.sub(record.err, 1, 9) ~= 'WRONGTYPE' then
    return record
end
local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if not set.err then return {{ARGV[1]}} end
if string.sub(set.err, 1, 3) == 'OOM' then return {{}} end
return set
""")
"""Return the record, its milliseconds left (-1 for ever) and the time, in seconds and µs.

Where there is no record that can be read, write the placeholder ARGV[1] for ARGV[2] ms and return
it alone. Return an empty list where the store has no room for it.
"""

PUT: Final = Script.of(f"""
local record = redis.pcall('GET', KEYS[1])
if type(record) ~= 'string' or string.sub(record, 1, {HEAD_BYTES}) ~= ARGV[1] then return 0 end
local now = redis.call('TIME')
local time = string.rep('0', 10 - #now[1]) .. now[1]
    .. '.' .. string.rep('0', 6 - #now[2]) .. now[2]
local put = ARGV[1] .. ARGV[2] .. time .. ARGV[3]
if ARGV[4] == '' then redis.call('SET', KEYS[1], put)
else redis.call('SET', KEYS[1], put, 'PX', ARGV[4]) end
return 1
""")
"""Write head ARGV[1], epoch ARGV[2], the time and the value ARGV[3] as the record, for ARGV[4] ms.

Write nothing where the record has another head by now. It stays for ever where ARGV[4] is empty.
"""
