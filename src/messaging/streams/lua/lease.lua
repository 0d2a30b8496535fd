-- Takes or prolongs the lease of a partition.
-- KEYS[1] lease
-- ARGV[1] member   ARGV[2] milliseconds
-- Result  1 when it is the member's now, 0 when another holds it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
