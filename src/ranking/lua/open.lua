-- Opens a board for a load: until it is loaded it has no floor and accepts every changed row, so
-- that no change between here and the end of the load is lost. Makes the board if there is none.
--
-- KEYS  1 meta     HASH    epoch, seq, open, loaded, capacity, floor_member, floor_score,
--                          next:<partition>
--       2 touched  HASH    members changed since the board was opened
--       3 loading  STRING  epoch of the load under way; expires when its process is not heard of
-- ARGV  1 channel   on which the change is published
--       2 capacity  rows that the caller needs; the board keeps the most that anybody needed
--       3 lease     milliseconds for which the load counts as under way
--       4 insists   '1' to take the place of a load that is under way, '0' to give way to it
-- Result  {epoch, capacity}: whoever decided under another epoch has to decide again
--         nil: gave way
local meta, touched, loading = KEYS[1], KEYS[2], KEYS[3]
if ARGV[4] == '0' and redis.call('EXISTS', loading) == 1 then return false end
if redis.call('HEXISTS', meta, 'seq') == 0 then
  -- Begins at the clock's microseconds: the numbers of a board that was lost are not met again.
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
