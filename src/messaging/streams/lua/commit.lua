-- Moves a group's offset forward, as long as the partition is leased to the member that asks, and
-- drops what every group has read but for the newest entries.
-- KEYS[1] lease   KEYS[2] groups   KEYS[3] stream
-- ARGV[1] member  ARGV[2] group    ARGV[3] next offset
-- ARGV[4] how many entries to keep, ARGV[5] and in how many bytes at most
-- Result  1 when it was moved, 0 when the lease is another's
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
-- Estimated from a few of its oldest parts, so it takes no longer for a long one.
local bytes = redis.call('MEMORY', 'USAGE', KEYS[3]) or 0
local kept = tonumber(ARGV[4])
if bytes > tonumber(ARGV[5]) then
  kept = math.min(kept, math.floor(length * tonumber(ARGV[5]) / bytes))
end
if length > kept then
  redis.call('XTRIM', KEYS[3], 'MINID', '~', string.format('%.0f-0', slowest), 'LIMIT', length - kept)
end
return 1
