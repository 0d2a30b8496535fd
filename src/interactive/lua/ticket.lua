-- Gives who is about to read the database the ticket of a cached hash. What he has read is kept only
-- while the hash still has that ticket: had it been lost in between (flushed, evicted, dropped), the
-- versions that tell new from old would be lost with it.
-- KEYS[1]  hash of counters, or of a user's marks
-- ARGV[1]  the ticket that it gets when it has none
-- ARGV[2]  ms for which a hash stays that has nothing else
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
