-- Takes or prolongs the lease of a partition. From when it is taken first, commit.lua keeps what the
-- group has not read, though the group may be long in committing anything.
-- KEYS[1] lease   KEYS[2] groups
-- ARGV[1] member  ARGV[2] milliseconds   ARGV[3] group
-- Result  1 when it is the member's now, 0 when another holds it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if not holder then
  redis.call('HSETNX', KEYS[2], ARGV[3], 0)
end
return 1
