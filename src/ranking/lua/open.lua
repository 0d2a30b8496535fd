-- Opens a board for a load: until it is loaded it has no floor and accepts every changed row, so
-- that no change between here and the end of the load is lost. Makes the board if there is none.
--
-- KEYS  1 meta     HASH  epoch, seq, open, floor_member, floor_score, next:<partition>
--       2 touched  SET   members changed since the board was opened
-- ARGV  1 channel  on which the change is published
-- Result  the new epoch: whoever decided under another one has to decide again
local meta, touched = KEYS[1], KEYS[2]
if redis.call('HEXISTS', meta, 'seq') == 0 then
  -- Begins at the clock's microseconds: the numbers of a board that was lost are not met again.
  local now = redis.call('TIME')
  redis.call('HSET', meta, 'seq', string.format('%.0f', now[1] * 1000000 + now[2]))
end
local seq = string.format('%.0f', redis.call('HINCRBY', meta, 'seq', 1))
redis.call('HSET', meta, 'epoch', seq, 'open', '1')
redis.call('HDEL', meta, 'floor_member', 'floor_score')
redis.call('DEL', touched)
redis.call('PUBLISH', ARGV[1], '{"seq":' .. seq .. ',"epoch":"' .. seq .. '"}')
return seq
