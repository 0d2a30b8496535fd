-- Releases a member's lease of a partition.
--
-- KEYS[1] lease   TEXT  the member that reads the partition
-- ARGV[1] member
-- Result  1 when the member held the lease, otherwise 0
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
