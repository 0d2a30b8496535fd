-- Commits a group's offset while the member holds the partition's lease, and trims the entries that
-- every group has read, except the newest ones.
--
-- KEYS[1] lease   TEXT  the member that reads the partition
-- KEYS[2] groups  HASH  group -> next offset
-- KEYS[3] stream  STREAM
-- ARGV[1] member
-- ARGV[2] group
-- ARGV[3] next offset
-- ARGV[4] trims down to this many entries
-- ARGV[5] trims further, down to this many bytes
-- Result  1 when committed, 0 when another member or none holds the lease
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
local slowest
for _, offset in ipairs(redis.call('HVALS', KEYS[2])) do
  local number = tonumber(offset)
  if not slowest or number < slowest then
    slowest = number
  end
end
local length = redis.call('XLEN', KEYS[3])
-- Redis estimates it from a few entries, so it does not take longer for a long stream.
local bytes = redis.call('MEMORY', 'USAGE', KEYS[3]) or 0
local kept = tonumber(ARGV[4])
if bytes > tonumber(ARGV[5]) then
  kept = math.min(kept, math.floor(length * tonumber(ARGV[5]) / bytes))
end
if length > kept then
  redis.call('XTRIM', KEYS[3], 'MINID', '~', string.format('%.0f-0', slowest), 'LIMIT', length - kept)
end
return 1
