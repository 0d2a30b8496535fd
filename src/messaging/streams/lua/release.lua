-- Gives a partition's lease back.
-- KEYS[1] lease
-- ARGV[1] member
-- Result  1 when it was the member's
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
