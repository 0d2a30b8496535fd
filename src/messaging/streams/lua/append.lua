-- Appends messages to one partition, giving them the next offsets.
-- KEYS[1] stream   KEYS[2] next offset
-- ARGV    for each message: key ("" for none), value, headers as JSON ("" for none)
-- Result  the offset of the first message
local count = #ARGV / 3
local first = redis.call('INCRBY', KEYS[2], count) - count
local now = redis.call('TIME')
local timestamp = string.format('%d%03d', now[1], math.floor(now[2] / 1000))
for i = 0, count - 1 do
  local key, value, headers = ARGV[i * 3 + 1], ARGV[i * 3 + 2], ARGV[i * 3 + 3]
  local id = string.format('%.0f-1', first + i)
  if headers == '' then
    redis.call('XADD', KEYS[1], id, 't', timestamp, 'k', key, 'v', value)
  else
    redis.call('XADD', KEYS[1], id, 't', timestamp, 'k', key, 'v', value, 'h', headers)
  end
end
return first
