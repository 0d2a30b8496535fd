-- Opens a board for a load: until the load ends it has no floor and accepts every changed row, so that
-- no change before the end of the load is lost. Creates the board if there is none.
--
-- KEYS  1 meta     HASH    epoch, seq, open, loaded, capacity, floor_member, floor_score,
--                          next:<partition>
--       2 touched  HASH    members changed since the board was opened
--       3 loading  STRING  epoch of the load under way; expires when its process does not prolong it
-- ARGV  1 channel   on which the change is published
--       2 capacity  rows that the caller needs; the board keeps the most that any process needed
--       3 lease ms  for which the load counts as under way
--       4 replaces  '1' to replace a load that is under way, '0' to leave the board to it
-- Result  {epoch, capacity}: what was decided under an earlier epoch must be decided again
--         nil: the board was left to the load under way
local meta, touched, loading = KEYS[1], KEYS[2], KEYS[3]
if ARGV[4] == '0' and redis.call('EXISTS', loading) == 1 then return false end
if redis.call('HEXISTS', meta, 'seq') == 0 then
  -- Starts at the clock's microseconds, so that the numbers of a lost board are never used again.
  local now = redis.call('TIME')
  redis.call('HSET', meta, 'seq', string.format('%.0f', now[1] * 1000000 + now[2]))
end
local seq = string.format('%.0f', redis.call('HINCRBY', meta, 'seq', 1))
local kept = tonumber(redis.call('HGET', meta, 'capacity') or 0)
local capacity = math.max(kept, tonumber(ARGV[2]))
redis.call('HSET', meta, 'epoch', seq, 'open', '1', 'capacity', capacity)
redis.call('HDEL', meta, 'floor_member', 'floor_score')
redis.call('DEL', touched)
redis.call('SET', loading, seq, 'PX', ARGV[3])
redis.call('PUBLISH', ARGV[1], '{"seq":' .. seq .. ',"epoch":"' .. seq .. '"}')
return { seq, capacity }
