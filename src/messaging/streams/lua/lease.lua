-- Takes or renews a member's lease of a partition. Taking it also registers a new group at offset
-- 0, so that commit.lua keeps all messages that the group has not read, even before its first commit.
--
-- KEYS[1] lease   TEXT  the member that reads the partition
-- KEYS[2] groups  HASH  group -> next offset
-- ARGV[1] member
-- ARGV[2] duration in milliseconds
-- ARGV[3] group
-- Result  1 when the member holds the lease now, 0 when another member holds it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if not holder then
  redis.call('HSETNX', KEYS[2], ARGV[3], 0)
end
return 1
