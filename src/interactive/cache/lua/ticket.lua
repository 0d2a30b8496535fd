-- Returns the ticket of a cached hash to a process that is about to read MySQL. What it reads is cached
-- only while the hash still has that ticket. If the hash was lost in between (flushed, evicted,
-- dropped), the versions that distinguish new from old were lost with it.
--
-- KEYS[1]  hash of counters, or of a user's marks
-- ARGV[1]  the ticket for a hash that has none
-- ARGV[2]  milliseconds that a hash stays that has nothing else
-- Result   its ticket
local ticket = redis.call('HGET', KEYS[1], 't')
if not ticket then
  ticket = ARGV[1]
  redis.call('HSET', KEYS[1], 't', ticket)
  if redis.call('PTTL', KEYS[1]) < 0 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
  end
end
return ticket
