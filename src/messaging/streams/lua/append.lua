-- Appends messages to one partition, at the next offsets.
--
-- Once, even if the script runs twice: a client whose connection ends before the answer sends the
-- command again. A client has only one append per partition running, so an append whose number is
-- not above the last one has already been done.
--
-- No offset is used twice, even when Redis loses its last writes: consumers remember in MySQL
-- which offsets they have handled, and would skip a new message with an old offset. How many
-- offsets were lost is unknown. But they can only be lost when a Redis process has started since
-- (crash, restart, failover), and each process has its own run id. So the first append under
-- another run id than that of the partition's last append continues far above all offsets that
-- earlier processes can have used:
--   - a million above the remaining counter, since no lost tail has so many messages;
--   - not below the clock in microseconds. If a process loses even this jump, its successor must
--     not jump to the same offset; no process appends a million messages per second.
--
-- KEYS[1] stream   STREAM
-- KEYS[2] next     TEXT  next offset
-- KEYS[3] run      TEXT  run id of the last append
-- KEYS[4] gaps     HASH  the first offset that was left out -> the next one used
-- KEYS[5] producer TEXT  the number of the client's last append, for an hour
-- ARGV[1] number of this append, above the client's earlier ones
-- ARGV[2], ARGV[3], then again for each entry: its number of messages, the messages
-- Result  1; 0 when this append was already done; -1 when entries of another program are in the way:
--         nothing was appended, run settle.lua first
if tonumber(redis.call('GET', KEYS[5]) or 0) >= tonumber(ARGV[1]) then
  return 0
end

local now = redis.call('TIME')
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if redis.call('GET', KEYS[3]) ~= run then
  local from = redis.call('GET', KEYS[2])
  if from then
    local to = math.max(tonumber(from) + 1000000, now[1] * 1000000 + now[2])
    to = string.format('%.0f', to)
    redis.call('HSET', KEYS[4], from, to)
    redis.call('SET', KEYS[2], to)
  end
  redis.call('SET', KEYS[3], run)
end

local first = tonumber(redis.call('GET', KEYS[2]) or 0)
-- An entry at one of the next offsets would hide them from consumers that have read it.
if #redis.call('XRANGE', KEYS[1], string.format('%.0f-0', first), '+', 'COUNT', 1) > 0 then
  return -1
end

local last = first - 1
local timestamp = string.format('%d%03d', now[1], math.floor(now[2] / 1000))
for i = 2, #ARGV, 2 do
  last = last + tonumber(ARGV[i])
  -- The id has the last message's offset, so that XRANGE from any of the offsets finds the entry.
  local added = redis.pcall('XADD', KEYS[1], string.format('%.0f-1', last), 't', timestamp,
    'm', ARGV[i + 1])
  if type(added) == 'table' and added.err then
    -- The id of an entry that was deleted since is in the way too.
    if i == 2 and string.find(added.err, '^ERR') then return -1 end
    return added
  end
end
redis.call('SET', KEYS[2], string.format('%.0f', last + 1))
redis.call('SET', KEYS[5], ARGV[1], 'PX', 3600000)
return 1
