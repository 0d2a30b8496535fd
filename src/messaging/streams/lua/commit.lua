-- Moves a group's offset forward, as long as the partition is leased to the member that asks, and
-- drops what every group has read but for the newest messages.
-- KEYS[1] lease   KEYS[2] groups   KEYS[3] stream
-- ARGV[1] member  ARGV[2] group    ARGV[3] next offset   ARGV[4] how many read messages to keep
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
local keepFrom = slowest - tonumber(ARGV[4])
if keepFrom > 0 then
  redis.call('XTRIM', KEYS[3], 'MINID', '~', string.format('%.0f-0', keepFrom))
end
return 1
